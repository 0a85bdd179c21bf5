//go:build !race

package aps

// slowness is how much slower the race detector makes everything.
const slowness = 1
