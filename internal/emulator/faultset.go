package emulator

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

const faultsMax = 100

// faultSet is the faults in force. The first that matches and draws its share
// strikes; each fault draws from a source of its own, so that the same
// requests in the same order meet the same faults.
type faultSet struct {
	seed uint64

	mu    sync.Mutex
	armed []*armedFault
}

type armedFault struct {
	Fault
	random *rand.Rand
	// matched and struck count since the fault was set.
	matched, struck int
}

func newFaultSet(faults []Fault, seed uint64) (*faultSet, error) {
	set := &faultSet{seed: seed}
	return set, set.replace(faults)
}

func (s *faultSet) replace(faults []Fault) error {
	if len(faults) > faultsMax {
		return fmt.Errorf("%d faults are too many: at most %d", len(faults), faultsMax)
	}
	armed := make([]*armedFault, 0, len(faults))
	for i, f := range faults {
		f, err := f.withDefaults()
		if err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
		setDefault(&f.Seed, s.seed)
		armed = append(armed, &armedFault{Fault: f, random: rand.New(rand.NewPCG(f.Seed, uint64(i)))})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = armed
	return nil
}

// strike returns the fault that hits this request of op, or nil.
func (s *faultSet) strike(op *operation) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.armed {
		if f.hits(op) {
			hit := f.Fault
			return &hit
		}
	}
	return nil
}

func (f *armedFault) hits(op *operation) bool {
	if !f.matches(op) || f.Count > 0 && f.struck >= f.Count {
		return false
	}
	if f.matched++; f.matched <= f.Skip {
		return false
	}
	if f.Share < 1 && f.random.Float64() >= f.Share {
		return false
	}
	f.struck++
	return true
}

// faultView is a fault as the emulator's own page shows it.
type faultView struct {
	Fault
	Wait    string `json:"wait"`
	Hold    string `json:"hold"`
	Matched int    `json:"matched"`
	Struck  int    `json:"struck"`
}

func (s *faultSet) views() []faultView {
	s.mu.Lock()
	defer s.mu.Unlock()
	views := make([]faultView, 0, len(s.armed))
	for _, f := range s.armed {
		views = append(views, faultView{f.Fault, f.Wait.String(), f.Hold.String(), f.matched, f.struck})
	}
	return views
}
