//go:build !race

package secret

// slowness is how much slower the race detector makes everything.
const slowness = 1
