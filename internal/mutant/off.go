//go:build !mutants

package mutant

// On reports false.
func On(string) bool { return false }
