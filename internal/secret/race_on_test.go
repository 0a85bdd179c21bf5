//go:build race

package secret

const slowness = 10
