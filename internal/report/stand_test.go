package report

import (
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// TestStandsAreComplete: each state of the ledger and each class of the service
// has a stand that the report lists.
func TestStandsAreComplete(t *testing.T) {
	advice := Advice{Unhealthy: "look", Person: "decide", NotSent: "again"}
	for _, state := range plan.States {
		for _, status := range []string{"", "Running", "Failed", "Suspended", "Initializing"} {
			j := Job{Entry: plan.Entry{State: state}}
			if status != "" {
				j.Asked, j.Remote = true, &plan.RemoteJob{Status: status}
			}
			r := Build(Facts{Jobs: []Job{j}, Advice: advice})
			if len(r.Stands) != 1 || r.Stands[0].Meaning == "" || r.Stands[0].Jobs != 1 {
				t.Errorf("%s, %q: %+v", state, status, r.Stands)
			}
			if bad := r.attention() > 0; bad != (len(r.Failures) == 1) || bad && r.Failures[0].Next == "" {
				t.Errorf("%s, %q: %+v", state, status, r.Failures)
			}
		}
	}
}
