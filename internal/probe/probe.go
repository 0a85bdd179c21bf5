// Package probe measures on a real account what the documentation of the service
// leaves open, with a few throw-away jobs that it deletes again. What it asks and
// why is in the project's API reference, section 13.
//
// A create is written to a Journal before it is sent, and one whose outcome is not
// known is looked for by its name before anything else is sent.
package probe

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// CreatesMax is the most jobs that a probe has at once, and ever.
const CreatesMax = 3

// NamePrefix starts the name of every job of a probe.
const NamePrefix = "apsctl-probe-"

// Service is what is measured. *aps.Client is one.
type Service interface {
	ReadOnce(ctx context.Context, request aps.ReadRequest) (aps.ReadAnswer, error)
	List(ctx context.Context, region string, agree bool) (plan.Listing, error)
	Create(ctx context.Context, request plan.CreateRequest) plan.Outcome
	Change(ctx context.Context, request plan.ChangeRequest) error
}

// Options say what to measure with.
type Options struct {
	// Job is what every throw-away job is like, but for its name.
	Job                                 plan.Spec
	SourcePassword, DestinationPassword secret.Value // a zero one is not sent
	// Wait is the longest wait for one thing, such as a job to be listed.
	Wait time.Duration
	// Settle is how long a request without an answer may still take effect.
	Settle time.Duration
	// Note takes one line on what is being done. It may hold text of the service.
	Note func(string)
}

// Question is what one answer is about.
type Question string

// The questions, in the order of a report.
const (
	DateWindow     Question = "date_window"
	UnknownID      Question = "unknown_id"
	Refusals       Question = "refusals"
	PageCap        Question = "page_cap"
	PageNumbers    Question = "page_numbers"
	ListLag        Question = "list_lag"
	DetailLag      Question = "detail_lag"
	CreateTimeZone Question = "create_time_zone"
	DetailObjects  Question = "detail_objects"
	DetailKeys     Question = "detail_keys"
	DetailMode     Question = "detail_mode"
	NameFilter     Question = "name_filter"
	ListOrder      Question = "list_order"
	AutoStart      Question = "auto_start"
	RepeatedStart  Question = "repeated_start"
	DuplicateNames Question = "duplicate_names"
	ModifySuspends Question = "modify_needs_suspended"
	DeleteSuspends Question = "delete_needs_suspended"
)

// questions says in words what each asks, in order.
var questions = []struct {
	question Question
	words    string
}{
	{DateWindow, "How old may a signed date be?"},
	{UnknownID, "What does the detail of an id that there is not get?"},
	{Refusals, "In which form does the service refuse?"},
	{PageCap, "What becomes of a page size of 1000?"},
	{PageNumbers, "Are the numbers of a page strings or numbers?"},
	{ListLag, "How long until a new job is listed?"},
	{DetailLag, "When can its detail be read?"},
	{CreateTimeZone, "In which zone is CreateTime?"},
	{DetailObjects, "Are DbList and PartitionList of a detail objects or strings?"},
	{DetailKeys, "Do their keys keep their order?"},
	{DetailMode, "Is TargetTableMode of a detail a number or a string?"},
	{NameFilter, "How does ApsJobName narrow a listing?"},
	{ListOrder, "In which order is the listing?"},
	{AutoStart, "Does a new job start by itself?"},
	{RepeatedStart, "What does starting a started job get?"},
	{DuplicateNames, "May two jobs have one name?"},
	{ModifySuspends, "Does a change need a suspended job?"},
	{DeleteSuspends, "Does a deletion need a suspended job?"},
}

// What an answer is when there is none.
const (
	NotMeasured = "not measured"
	Unclear     = "unclear"
)

// Answer is what was measured. Answer is a word or number for scripts, Evidence
// says in a line how it was seen. Both may hold text of the service.
type Answer struct {
	Question Question `json:"question"`
	Words    string   `json:"words"`
	Answer   string   `json:"answer"`
	Evidence string   `json:"evidence"`
}

// Left is a job that may be left on the service. ID is empty for a request whose
// outcome is not known; until Until it may still take effect.
type Left struct {
	Name  string    `json:"name"`
	ID    string    `json:"aps_job_id"`
	Why   string    `json:"why"`
	Until time.Time `json:"until,omitzero"`
}

// Report is what a probe came to.
type Report struct {
	MeasuredAt time.Time `json:"measured_at"`
	Answers    []Answer  `json:"answers"`
	Creates    int       `json:"creates"` // requests that were sent
	Left       []Left    `json:"left"`
}

// Probe is one probe, or the cleaning after one.
type Probe struct {
	service Service
	journal *Journal
	o       Options
	region  string
	prefix  string // of the names of this probe's jobs

	answers map[Question]Answer
	creates int
	first   *job // the jobs, nil until they are made
	second  *job
}

// job is a job that this probe made.
type job struct {
	try   Try
	acked time.Time // when the answer came, by this machine's clock
	clock time.Time // and by the service's; zero when it did not say
}

// New returns a probe that writes to journal.
func New(service Service, journal *Journal, o Options) *Probe {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return &Probe{
		service: service, journal: journal, o: o, region: journal.Owner.Region,
		prefix: NamePrefix + strings.ToLower(rand.Text()[:10]), answers: map[Question]Answer{},
	}
}

// Run measures until all is answered, something makes going on senseless, or ctx
// ends, and then deletes what it made, which only cleaning ends. The error says
// why it did not get to the end; the report is there in every case.
func (p *Probe) Run(ctx, cleaning context.Context) (Report, error) {
	report := Report{MeasuredAt: time.Now().UTC()}
	err := p.measure(ctx)
	report.Left = p.clean(cleaning)
	report.Creates = p.creates
	for _, q := range questions {
		a, ok := p.answers[q.question]
		if !ok {
			a = Answer{Question: q.question, Answer: NotMeasured}
		}
		a.Words = q.words
		report.Answers = append(report.Answers, a)
	}
	return report, err
}

func (p *Probe) measure(ctx context.Context) error {
	for _, step := range []struct {
		note string
		run  func(context.Context) error
	}{
		{"how old a signed date may be", p.dateWindow},
		{"an id that there is not", p.unknownID},
		{"pages", p.pages},
		{"the first job", p.makeFirst},
		{"its detail", p.detail},
		{"the second job", p.makeSecond},
		{"the filter of names", p.filter},
		{"whether a job starts by itself", p.autoStart},
		{"a second job of one name", p.duplicate},
		{"the order of the listing", p.order},
		{"a change", p.modify},
		{"a deletion", p.delete},
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.o.Note(step.note)
		if err := step.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *Probe) answer(q Question, answer, evidence string, args ...any) {
	p.answers[q] = Answer{Question: q, Answer: answer, Evidence: fmt.Sprintf(evidence, args...)}
}

// pauseMax is the longest pause between two looks, and lagStep where a time is
// measured by them.
const pauseMax, lagStep = 5 * time.Second, time.Second / 2

// until asks again, with growing pauses, until done says so or the wait is over.
// It reports whether done did.
func (p *Probe) until(ctx context.Context, longest time.Duration, done func() (bool, error)) (bool, error) {
	deadline := time.Now().Add(p.o.Wait)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, longest) {
		if ok, err := done(); ok || err != nil {
			return ok, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return false, nil
		}
		if err := sleep(ctx, min(pause, left)); err != nil {
			return false, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
