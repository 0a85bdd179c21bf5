package plan

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/cost"
)

const (
	// fuzzCPUMax and fuzzBytesMax bound what any input of a fuzz target may cost.
	fuzzCPUMax   = time.Second
	fuzzBytesMax = 256 << 20
)

// notIfShort leaves out, with -short, what is large: the race detector, for which -short
// is meant, takes long over it and sees nothing that smaller plans do not show.
func notIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it is large")
	}
}

// bounded runs f and fails the test if it takes more processor time or allocates
// more than any input may.
func bounded(t *testing.T, f func()) {
	t.Helper()
	took, bytes := cost.Of(t, f)
	if took > fuzzCPUMax && !raceEnabled {
		t.Errorf("it took %v of the processor", took)
	}
	if bytes > fuzzBytesMax && !raceEnabled { // the detector takes memory of its own
		t.Errorf("it allocated %d MiB", bytes>>20)
	}
}
