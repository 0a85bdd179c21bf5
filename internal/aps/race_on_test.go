//go:build race

package aps

const slowness = 10
