package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
)

const region = "cn-hangzhou"

// inside asks an emulator within the process, so that time can be virtual.
type inside struct {
	server *emulator.Server
	lose   func(*http.Request, *http.Response) bool // whether the answer is lost
	drop   func(*http.Request) bool                 // whether the request is
	before func(*http.Request)
}

func (i *inside) Call(request *http.Request, _ *http.Transport) (*http.Response, error) {
	request = request.Clone(request.Context())
	for name, values := range request.Header { // as they arrive over a network
		delete(request.Header, name)
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if i.before != nil {
		i.before(request)
	}
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	if i.drop != nil && i.drop(request) {
		return nil, errors.New("the connection is gone")
	}
	recorder := httptest.NewRecorder()
	i.server.ServeHTTP(recorder, request)
	response := recorder.Result()
	if i.lose != nil && i.lose(request, response) {
		return nil, errors.New("the connection is gone")
	}
	return response, nil
}

// world is an emulator with some jobs of others, and a probe of it.
type world struct {
	*testing.T
	wire    *inside
	client  *aps.Client
	path    string // of the journal
	options Options
}

func newWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	server, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w := &world{T: t, wire: &inside{server: server}, path: filepath.Join(t.TempDir(), "probe.ndjson")}
	w.client, err = aps.New(aps.Options{
		Endpoint: "http://127.0.0.1:1", HTTPClient: w.wire, Credentials: aps.StaticCredentials("emulator", "emulator", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.options = Options{
		Wait: 2 * time.Minute, Settle: 31 * time.Minute,
		Job: plan.Spec{
			Source: plan.SourceEndpoint{Instance: "pc-1"}, Destination: plan.DestinationEndpoint{Instance: "amv-1"},
			DBList: `{"a":{"all":true},"b":{"all":true}}`, PartitionList: "{}", TargetTableMode: "1",
		},
	}
	for i := range 7 {
		spec := w.options.Job
		spec.Name, spec.Region = fmt.Sprintf("of-others-%d", i), region
		if o := w.client.Create(t.Context(), plan.CreateRequest{Spec: spec, Nonce: fmt.Sprintf("%032d", i), SignedAt: time.Now()}); o.Verdict != plan.VerdictCreated {
			t.Fatalf("%+v", o)
		}
		time.Sleep(time.Second)
	}
	return w
}

// probe runs one and checks what holds of each: few creates, and nothing left that
// is not told.
func (w *world) probe(ctx context.Context) (map[Question]string, Report, error) {
	w.Helper()
	journal, err := CreateJournal(w.path, Owner{Region: region})
	if err != nil {
		w.Fatal(err)
	}
	before := w.wire.server.Stats().Creates
	report, err := New(w.client, journal, w.options).Run(ctx, context.WithoutCancel(ctx))
	if err := journal.Close(); err != nil {
		w.Error(err)
	}
	if sent := int(w.wire.server.Stats().Creates - before); sent > CreatesMax || sent > report.Creates {
		w.Errorf("it made %d jobs and tells of %d", sent, report.Creates)
	}
	if _, gone := os.Stat(w.path); errors.Is(gone, fs.ErrNotExist) != (len(report.Left) == 0) {
		w.Errorf("the journal: %v, with %d left", gone, len(report.Left))
	}
	if jobs := w.jobs(); jobs != len(report.Left) && jobs > 0 {
		w.Errorf("%d jobs are left and %v are told", jobs, report.Left)
	}
	answers := map[Question]string{}
	for _, a := range report.Answers {
		answers[a.Question] = a.Answer
		if a.Words == "" || a.Answer != NotMeasured && a.Evidence == "" {
			w.Errorf("an answer without words: %+v", a)
		}
	}
	return answers, report, err
}

// jobs are those of probes that exist.
func (w *world) jobs() int { return int(w.wire.server.Stats().Jobs) - 7 }

// usual is what the emulator does unless a switch says otherwise.
var usual = map[Question]string{
	DateWindow: "15m0s", UnknownID: "error", Refusals: "http400", PageCap: "lowered to 100", PageNumbers: "string",
	ListLag: "0s", DetailLag: "at once", CreateTimeZone: "UTC+8", DetailObjects: "object", DetailKeys: "reversed",
	DetailMode: "number", NameFilter: "contains", ListOrder: "newest", AutoStart: "yes", RepeatedStart: "refused",
	DuplicateNames: "allowed", ModifySuspends: "no", DeleteSuspends: "no",
}

// TestProbeFindsEverySwitch: the emulator under each switch in each position, and
// the probe says which it is.
func TestProbeFindsEverySwitch(t *testing.T) {
	for name, test := range map[string]struct {
		o    emulator.Options
		want map[Question]string
	}{
		"defaults":             {emulator.Options{}, nil},
		"name filter prefix":   {emulator.Options{NameFilter: emulator.NamePrefix}, map[Question]string{NameFilter: "prefix"}},
		"name filter exact":    {emulator.Options{NameFilter: emulator.NameExact}, map[Question]string{NameFilter: "exact"}},
		"duplicates refused":   {emulator.Options{DuplicateNames: emulator.DuplicatesRefuse}, map[Question]string{DuplicateNames: "refused"}},
		"oldest first":         {emulator.Options{ListOrder: emulator.OrderOldest}, map[Question]string{ListOrder: "oldest"}},
		"by id":                {emulator.Options{ListOrder: emulator.OrderID}, map[Question]string{ListOrder: "id"}},
		"small pages":          {emulator.Options{PageCap: 50}, map[Question]string{PageCap: "lowered to 50"}},
		"large pages":          {emulator.Options{PageCap: 5000}, map[Question]string{PageCap: "at least 1000"}},
		"large pages refused":  {emulator.Options{PageCap: 77, PageCapMode: emulator.PageCapRefuse}, map[Question]string{PageCap: "refused above 77"}},
		"strings":              {emulator.Options{DetailForm: emulator.FormString}, map[Question]string{DetailObjects: "string"}},
		"keys as sent":         {emulator.Options{DetailKeys: emulator.KeysAsSent}, map[Question]string{DetailKeys: "as sent"}},
		"strings as sent":      {emulator.Options{DetailForm: emulator.FormString, DetailKeys: emulator.KeysAsSent}, map[Question]string{DetailObjects: "string", DetailKeys: "as sent"}},
		"mode is a string":     {emulator.Options{DetailMode: emulator.ModeString}, map[Question]string{DetailMode: "string"}},
		"unknown id is empty":  {emulator.Options{UnknownDetail: emulator.UnknownDetailEmpty}, map[Question]string{UnknownID: "empty"}},
		"refusals are 200":     {emulator.Options{BusinessErrors: emulator.BusinessHTTP200}, map[Question]string{Refusals: "http200"}},
		"listed late":          {emulator.Options{ListLag: 40 * time.Second}, map[Question]string{ListLag: "40s", DetailLag: "with the listing"}},
		"detail before":        {emulator.Options{ListLag: 40 * time.Second, DetailAtOnce: true}, map[Question]string{ListLag: "40s"}},
		"UTC":                  {emulator.Options{CreateTimeZone: time.UTC}, map[Question]string{CreateTimeZone: "UTC+0"}},
		"west of it":           {emulator.Options{CreateTimeZone: time.FixedZone("", -3*3600-1800)}, map[Question]string{CreateTimeZone: "UTC-3:30"}},
		"jobs need a start":    {emulator.Options{NeedsStart: true}, map[Question]string{AutoStart: "no"}},
		"under another word":   {emulator.Options{NeedsStart: true, FirstStatus: "Prepared"}, map[Question]string{AutoStart: "no"}},
		"starts slowly":        {emulator.Options{Initializing: time.Hour}, map[Question]string{RepeatedStart: NotMeasured, ModifySuspends: Unclear, DeleteSuspends: Unclear}},
		"starts at once":       {emulator.Options{Initializing: -1}, nil},
		"started twice":        {emulator.Options{RepeatAllowed: true}, map[Question]string{RepeatedStart: "accepted"}},
		"modify when it rests": {emulator.Options{ModifyNeedsSuspended: true}, map[Question]string{ModifySuspends: "yes"}},
		"delete when it rests": {emulator.Options{DeleteNeedsSuspended: true}, map[Question]string{DeleteSuspends: "yes"}},
		"all the other way": {
			emulator.Options{
				NameFilter: emulator.NameExact, DuplicateNames: emulator.DuplicatesRefuse, ListOrder: emulator.OrderID, PageCap: 30,
				PageCapMode: emulator.PageCapRefuse, DetailForm: emulator.FormString, DetailKeys: emulator.KeysAsSent, DetailMode: emulator.ModeString,
				UnknownDetail: emulator.UnknownDetailEmpty, BusinessErrors: emulator.BusinessHTTP200, ListLag: 20 * time.Second,
				CreateTimeZone: time.UTC, NeedsStart: true, ModifyNeedsSuspended: true, DeleteNeedsSuspended: true,
			},
			map[Question]string{
				UnknownID: "empty", Refusals: "http200", PageCap: "refused above 30", ListLag: "20s", DetailLag: "with the listing",
				CreateTimeZone: "UTC+0", DetailObjects: "string", DetailKeys: "as sent", DetailMode: "string", NameFilter: "exact",
				ListOrder: "id", AutoStart: "no", DuplicateNames: "refused", ModifySuspends: "yes", DeleteSuspends: "yes",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := maps.Clone(usual)
				maps.Copy(want, test.want)
				got, report, err := newWorld(t, test.o).probe(t.Context())
				if err != nil || len(report.Left) > 0 {
					t.Errorf("it ended with %v, left %v", err, report.Left)
				}
				for _, a := range report.Answers {
					if got[a.Question] != want[a.Question] {
						t.Errorf("%s is %q (%s), want %q", a.Question, a.Answer, a.Evidence, want[a.Question])
					}
				}
			})
		})
	}
}

// TestEveryQuestionIsAsked: none is forgotten in the table that the report is made
// of, nor in the test above.
func TestEveryQuestionIsAsked(t *testing.T) {
	for _, q := range questions {
		if usual[q.question] == "" || q.words == "" {
			t.Errorf("%s has no words or no usual answer", q.question)
		}
	}
	if len(questions) != len(usual) {
		t.Errorf("there are %d questions and %d usual answers", len(questions), len(usual))
	}
}

func isCreate(request *http.Request) bool {
	return request.Header.Get("X-Acs-Action") == "CreateAPSJob"
}

// TestLostAnswerIsLookedFor: the job of a create without an answer is found by its
// name, and nothing is sent before.
func TestLostAnswerIsLookedFor(t *testing.T) {
	for lost := 1; lost <= CreatesMax; lost++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, emulator.Options{ListLag: 30 * time.Second})
			creates, looking := 0, false
			w.wire.lose = func(request *http.Request, _ *http.Response) bool {
				if isCreate(request) {
					creates++
				}
				looking = isCreate(request) && creates == lost
				return looking
			}
			w.wire.before = func(request *http.Request) {
				if looking && request.Header.Get("X-Acs-Action") != "DescribeApsJobs" {
					t.Errorf("%s was sent before the lost create was looked for", request.Header.Get("X-Acs-Action"))
				}
			}
			got, report, err := w.probe(t.Context())
			if err != nil || len(report.Left) > 0 || got[DeleteSuspends] != "no" || got[DuplicateNames] != "allowed" {
				t.Errorf("answer %d lost: %v, %v, %v", lost, got, report.Left, err)
			}
		})
	}
}

// TestCreateThatNeverComesStopsTheProbe: it is told as left, with the time until
// which it may appear, and a later cleaning ends it, whether it came or not.
func TestCreateThatNeverComesStopsTheProbe(t *testing.T) {
	for _, comes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			var held []byte
			var request *http.Request
			creates := 0
			w.wire.drop = func(r *http.Request) bool {
				if isCreate(r) {
					creates++
				}
				if !isCreate(r) || creates != 2 {
					return false
				}
				held, _ = io.ReadAll(r.Body)
				request = r.Clone(t.Context())
				return true
			}
			got, report, err := w.probe(t.Context())
			var unknown *UnknownError
			if !errors.As(err, &unknown) || creates != 2 || got[NameFilter] != NotMeasured || got[ListLag] != "0s" {
				t.Fatalf("it ended with %v after %d creates: %v", err, creates, got)
			}
			if len(report.Left) != 1 || report.Left[0].ID != "" || report.Left[0].Until.IsZero() {
				t.Fatalf("left: %+v", report.Left)
			}
			if left := w.clean(); len(left) != 1 {
				t.Errorf("a create that may still come was given up: %v", left)
			}
			if comes {
				request.Body = io.NopCloser(bytes.NewReader(held))
				w.wire.server.ServeHTTP(httptest.NewRecorder(), request)
				if w.jobs() != 1 {
					t.Fatalf("the late create made %d jobs", w.jobs())
				}
			} else {
				time.Sleep(w.options.Settle)
			}
			if left := w.clean(); len(left) > 0 || w.jobs() != 0 {
				t.Errorf("left %v, %d jobs", left, w.jobs())
			}
			if _, err := os.Stat(w.path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the journal is still there: %v", err)
			}
		})
	}
}

// clean is what another process does later.
func (w *world) clean() []Left {
	w.Helper()
	journal, err := OpenJournal(w.path)
	if err != nil {
		w.Fatal(err)
	}
	left := New(w.client, journal, w.options).Clean(w.Context())
	if err := journal.Close(); err != nil {
		w.Error(err)
	}
	return left
}

// TestStoppedProbeCleansUp whatever request it was stopped at.
func TestStoppedProbeCleansUp(t *testing.T) {
	for stopAt := 1; ; stopAt++ {
		stopped := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, emulator.Options{DeleteNeedsSuspended: true})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			requests := 0
			w.wire.before = func(*http.Request) {
				if requests++; requests == stopAt {
					cancel()
				}
			}
			_, report, err := w.probe(ctx)
			stopped = requests >= stopAt && errors.Is(err, context.Canceled)
			if err != nil && !errors.Is(err, context.Canceled) || len(report.Left) > 0 || w.jobs() != 0 {
				t.Errorf("stopped at request %d: %v, left %v, %d jobs", stopAt, err, report.Left, w.jobs())
			}
		})
		if !stopped || t.Failed() {
			if stopAt < 20 {
				t.Errorf("a probe had only %d requests", stopAt)
			}
			return
		}
	}
}

// TestRefusedJobEndsTheProbe with what could be measured before.
func TestRefusedJobEndsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		w.options.Job.Destination.Instance = "no such thing"
		got, report, err := w.probe(t.Context())
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Outcome.Code == "" || len(report.Left) > 0 || got[PageCap] != "lowered to 100" || got[ListLag] != NotMeasured {
			t.Errorf("%v: %v, left %v", err, got, report.Left)
		}
	})
}

// TestJobThatCannotBeDeletedIsTold by name and id.
func TestJobThatCannotBeDeletedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		if err := w.wire.server.SetFaults([]emulator.Fault{{Operation: "DeleteApsJob", Kind: "status", Status: 400, Code: "IncorrectDBInstanceState"}}); err != nil {
			t.Fatal(err)
		}
		_, report, err := w.probe(t.Context())
		if err != nil || len(report.Left) != 3 || w.jobs() != 3 {
			t.Fatalf("%v, left %v, %d jobs", err, report.Left, w.jobs())
		}
		for _, l := range report.Left {
			if !strings.HasPrefix(l.Name, NamePrefix) || l.ID == "" || !strings.Contains(l.Why, "IncorrectDBInstanceState") {
				t.Errorf("%+v", l)
			}
		}
		if _, err := CreateJournal(w.path, Owner{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("another probe may begin: %v", err)
		}
		_ = w.wire.server.SetFaults(nil)
		if left := w.clean(); len(left) > 0 || w.jobs() != 0 {
			t.Errorf("left %v, %d jobs", left, w.jobs())
		}
	})
}

// TestJournalThatIsCutOff at every byte is read up to what was whole.
func TestJournalThatIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "probe.ndjson")
	journal, err := CreateJournal(path, Owner{"1", "loopback", region})
	if err != nil {
		t.Fatal(err)
	}
	try := Try{Name: "a", Nonce: "1", SignedAt: time.Now().UTC()}
	for _, id := range []string{"", "aps-1"} {
		try.ID = id
		if err := journal.Put(try); err != nil {
			t.Fatal(err)
		}
	}
	_ = journal.close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(text) + 1 {
		if err := os.WriteFile(path, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		whole := strings.Count(string(text[:n]), "\n")
		journal, err := OpenJournal(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		open := journal.Open()
		if len(open) != min(1, max(0, whole-1)) || whole == 3 && open[0].ID != "aps-1" {
			t.Errorf("cut at %d: %v", n, open)
		}
		if err := journal.Put(Try{Name: "b", Nonce: "2"}); err != nil {
			t.Fatal(err)
		}
		_ = journal.close()
		if again, err := OpenJournal(path); err != nil || len(again.Open()) != len(open)+1 {
			t.Errorf("cut at %d and written on: %v", n, err)
		}
	}
}
