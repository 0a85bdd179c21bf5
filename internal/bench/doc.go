// Package bench measures whole commands, in processes of their own, against what
// they cannot do without: bare decoding of the same file, hashing it, a bare loop
// over the same client, and arithmetic. Each benchmark prints ratios of things
// that were measured in turn in one run, so that they mean something on a noisy
// machine, too. docs/performance.md has the figures and says how to repeat them.
//
// All of it is in the tests: go test ./internal/bench -run - -bench .
package bench
