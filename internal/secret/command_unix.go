//go:build unix

package secret

import (
	"os/exec"
	"syscall"
)

// ownGroup makes cmd the leader of a process group of its own, which dies as a
// whole when the command is cancelled. It also keeps a terminal's interrupt,
// meant for us, away from the command.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd) }
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
