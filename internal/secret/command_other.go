//go:build !unix

package secret

import "os/exec"

// ownGroup does nothing: without process groups, only the command itself is
// killed when it is cancelled.
func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
