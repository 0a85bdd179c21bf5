//go:build race

package runner_test

// simShort is smaller under the race detector, which is ten times slower.
const simShort = 60

// faultsStep is which share of the systematic histories a short run plays.
const faultsStep = 24
