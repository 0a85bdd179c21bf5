package main

import "testing"

func TestGCPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{
		0: gcPercentMax, 1 << 20: gcPercentMax, 80 << 20: 100, heapSpared: gcPercent, 1 << 30: gcPercent,
	} {
		if got := gcPercentFor(live); got != want {
			t.Errorf("%d live bytes: got %d, want %d", live, got, want)
		}
	}
}
