package plan

import (
	"fmt"
	"strings"
	"time"
)

// conditionGone is the condition of a job that is not there any more.
const conditionGone = "gone"

// Condition is what jobs are waited for. The zero Condition is none.
type Condition struct {
	word string        // running, suspended or gone; "" for a delay
	most time.Duration // of the delay
}

// ParseCondition reads running, suspended, gone, or delay<=D, where D is a duration
// such as 30s.
func ParseCondition(text string) (Condition, error) {
	switch text {
	case string(Running), string(Suspended), conditionGone:
		return Condition{word: text}, nil
	}
	if limit, ok := strings.CutPrefix(text, "delay<="); ok {
		most, err := time.ParseDuration(limit)
		if err == nil && most >= 0 {
			return Condition{most: most}, nil
		}
		return Condition{}, fmt.Errorf("a delay is a duration such as 30s or 5m, not %q", limit)
	}
	return Condition{}, fmt.Errorf("jobs are waited for to be running, suspended or gone, or for delay<=30s, not %q", text)
}

// Gone reports whether c asks for jobs that are not there any more.
func (c Condition) Gone() bool { return c.word == conditionGone }

// String reads after "jobs are".
func (c Condition) String() string {
	if c.word == "" {
		return fmt.Sprintf("running with a delay of at most %s", c.most)
	}
	return c.word
}

// Met reports whether a job that is listed is as c asks. That the unit of its delay
// is a second, is an assumption (API reference, section 2). A job that initialises
// shows no delay and does not count as up to date.
func (c Condition) Met(job RemoteJob) bool {
	class := ClassOf(job.Status)
	switch c.word {
	case "":
		return class == ClassRunning && job.Delay <= int64(c.most/time.Second)
	case string(Suspended):
		return class == ClassSuspended || NotStarted(job.Status)
	case string(Running):
		return class == ClassRunning
	}
	return false
}

// Hopeless says why the job of an entry that is not at the service will not be as c
// asks unless somebody does something about it; "" while it may come to be.
func (c Condition) Hopeless(e Entry) string {
	switch {
	case e.State.Unresolved() || e.State == StateCreated || c.Gone() && e.State == StateLost:
		return ""
	case e.State.NeedsPerson():
		return personReason(e)
	}
	return "there is no job: " + e.noJob()
}
