//go:build mutants

package mutant

import (
	"os"
	"sync/atomic"
)

// Variable is the environment variable that turns a weakening on at the start.
const Variable = "APSCTL_MUTANT"

var active atomic.Pointer[string]

func init() { Set(os.Getenv(Variable)) }

// Set turns the weakening of that name on and every other off; "" turns all
// off.
func Set(name string) { active.Store(&name) }

// On reports whether the weakening of that name is on.
func On(name string) bool { return *active.Load() == name }
