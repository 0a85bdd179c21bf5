//go:build !linux

package store

// sharedFileSystem does not look: the kinds of file systems are told apart on
// Linux only.
func sharedFileSystem(string) (string, error) { return "", nil }

// readOnlyFileSystem is not known here, but for what an error says.
func readOnlyFileSystem(string) bool { return false }
