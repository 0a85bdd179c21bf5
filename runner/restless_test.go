package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// restless changes only jobs that stand still, and says that it suspends before a
// job stands still.
type restless struct {
	*cloud
	status    string
	since     time.Time // when it is as status says
	meanwhile string    // what it shows until then
	requests  []plan.Operation
	refuses   func(plan.Operation) error // what is refused for another reason
}

func (s *restless) now() string {
	if s.status == "Suspended" && time.Now().Before(s.since) {
		return s.meanwhile
	}
	return s.status
}

func (s *restless) Change(ctx context.Context, request plan.ChangeRequest) error {
	s.requests = append(s.requests, request.Operation)
	refused := &plan.CallError{Operation: string(request.Operation), Failure: plan.FailureOther, Why: "refused", Code: "IncorrectDBInstanceState"}
	if request.Operation == plan.OperationModify && s.now() != "Suspended" {
		return refused
	}
	if s.refuses != nil {
		if err := s.refuses(request.Operation); err != nil {
			return err
		}
	}
	switch request.Operation {
	case plan.OperationSuspend:
		s.status, s.since = "Suspended", time.Now().Add(2*time.Second)
	case plan.OperationStart:
		s.status = "Running"
	}
	return s.cloud.Change(ctx, request)
}

func (s *restless) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	detail, err := s.cloud.Detail(ctx, region, id)
	detail.Status = s.now()
	return detail, err
}

// operations are the requests so far, each once where it was repeated.
func (s *restless) operations() string {
	var names []string
	for _, operation := range s.requests {
		name := strings.TrimSuffix(string(operation), "ApsJob")
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	s.requests = nil
	return strings.Join(names, " ")
}

// withRestless runs do over a plan of one job, which runs, after its objects were
// edited.
func withRestless(t *testing.T, do func(f *fixture, service *restless)) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		service := &restless{cloud: f.cloud, status: "Running", meanwhile: "Suspending"}
		f.service = service
		f.editObjects(0, `{"sales":{"all":true}}`)
		do(f, service)
	})
}

// pause has a run suspend the job and end before the change.
func (s *restless) pause(f *fixture) {
	f.Helper()
	f.options.AllowSuspend, f.options.MaxAttempts = true, 1
	s.refuses = func(operation plan.Operation) error {
		if operation == plan.OperationModify {
			return &plan.CallError{Operation: string(operation), Failure: plan.FailureTemporary, Why: "no answer"}
		}
		return nil
	}
	f.mustRun()
	if s.status != "Suspended" || f.entry("job-000").Doing != plan.Paused {
		f.Fatalf("it is %s, and the entry is %+v", s.status, f.entry("job-000"))
	}
	s.refuses = nil
	f.options.AllowSuspend, f.options.MaxAttempts = false, 0
}
