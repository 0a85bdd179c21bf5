//go:build !race

package runner_test

// simShort is the number of random histories of a short run.
const simShort = 600

// faultsStep is which share of the systematic histories a short run plays.
const faultsStep = 3
