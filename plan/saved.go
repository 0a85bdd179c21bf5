package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
)

// Saved is what a run is to do, for it to be done later, once, and as it is here or
// not at all. It holds the whole plan, so that no plan file is needed then;
// passwords are references in it as well.
type Saved struct {
	ID      string // differs for each saved plan
	SavedAt time.Time
	// Version is the apsctl that saved it: another one may compare otherwise.
	Version string
	Ledger  SavedLedger
	Options SavedOptions
	Plan    *Plan
	// Changes are those that a run makes or reports: all but jobs that are kept.
	Changes []SavedChange
}

// SavedLedger is the ledger as it was. Its lineage stands for the account and the
// service, too, which a ledger belongs to for good.
type SavedLedger struct {
	// Lineage is "" when there was no ledger yet.
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
	Run     int64  `json:"run"` // number of the latest run, 0 for none
	// Emulator says that the plan is for the emulated service of its folder.
	Emulator bool `json:"emulator"`
}

// SavedOptions are what changes what a difference means.
type SavedOptions struct {
	Allow   []string `json:"allow"`
	Adopt   bool     `json:"adopt"`
	Refresh string   `json:"refresh"`
	Target  []string `json:"target"` // selectors
	Exclude []string `json:"exclude"`
}

// SavedChange is what one job needed.
type SavedChange struct {
	Kind  Kind   `json:"action"`
	Name  string `json:"name"`
	JobID string `json:"aps_job_id,omitempty"` // the job that exists, or is taken over
	// Digest is that of the spec that is wanted, or for one that left the plan of the
	// one on record.
	Digest string        `json:"digest"`
	Fields []FieldChange `json:"fields,omitempty"`
}

// SaveChanges returns the changes that a saved plan has, in order.
func SaveChanges(changes []Change) []SavedChange {
	saved := []SavedChange{}
	for i := range changes {
		if c := &changes[i]; c.Kind != KindKeep {
			saved = append(saved, c.saved())
		}
	}
	return saved
}

func (c *Change) saved() SavedChange {
	s := SavedChange{Kind: c.Kind, Name: c.Name, Fields: c.Fields}
	if c.Job != nil {
		s.Digest = c.Job.Digest
	} else {
		s.Digest = c.Entry.Digest
	}
	switch {
	case c.Kind == KindResolve:
	case c.Kind == KindAdopt && c.Job.Adopt.ID != "":
		s.JobID = c.Job.Adopt.ID
	case c.Kind == KindAdopt:
		s.JobID = c.Remote[0].ID
	case c.Entry != nil:
		s.JobID = c.Entry.JobID
	}
	return s
}

// Differs says where changes are not those of s, one text a job, in the order of
// changes; nil when they are the same. A job that was to be resolved may be found
// to be as it should.
func (s *Saved) Differs(changes []Change) []string {
	then := make(map[string]SavedChange, len(s.Changes))
	for _, c := range s.Changes {
		then[c.Name] = c
	}
	var differs []string
	for i := range changes {
		c := &changes[i]
		was, ok := then[c.Name]
		delete(then, c.Name)
		if !ok {
			was = SavedChange{Kind: KindKeep, Name: c.Name}
		}
		if why := was.differs(c); why != "" {
			differs = append(differs, c.Name+": "+why)
		}
	}
	for _, c := range s.Changes { // of jobs that are in no change any more
		if _, left := then[c.Name]; left {
			differs = append(differs, fmt.Sprintf("%s: %s then, nothing now", c.Name, c.Kind))
		}
	}
	return differs
}

func (s SavedChange) differs(c *Change) string {
	switch now := c.saved(); {
	case s.Kind == KindResolve && c.Kind == KindKeep:
		return ""
	case s.Kind != c.Kind && c.Reason != "":
		return fmt.Sprintf("%s then, %s now (%s)", s.Kind, c.Kind, c.Reason)
	case s.Kind != c.Kind:
		return fmt.Sprintf("%s then, %s now", s.Kind, c.Kind)
	case c.Kind == KindKeep:
		return ""
	case s.JobID != now.JobID:
		return fmt.Sprintf("job %s then, job %s now", cmp.Or(s.JobID, "none"), cmp.Or(now.JobID, "none"))
	case s.Digest != now.Digest || !slices.Equal(s.Fields, now.Fields):
		return fmt.Sprintf("%s as well, but not to the same", s.Kind)
	}
	return ""
}

// savedHead starts every saved plan.
const savedHead = `{"format":"apsctl saved plan","version":1,"digest":"`

// SavedPrefix is how the file of a saved plan starts.
func SavedPrefix() string { return `{"format":"apsctl saved plan",` }

// savedFile is the form of a saved plan: its content, and the digest of that as it
// is written.
type savedFile struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Digest  string          `json:"digest"`
	Content json.RawMessage `json:"content"`
}

type savedContent struct {
	ID      string        `json:"id"`
	SavedAt time.Time     `json:"saved_at"`
	Version string        `json:"apsctl"`
	Ledger  SavedLedger   `json:"ledger"`
	Options SavedOptions  `json:"options"`
	Plan    savedPlan     `json:"plan"`
	Changes []SavedChange `json:"changes"`
}

type savedPlan struct {
	Name   string            `json:"name"`
	File   string            `json:"file"`
	Digest string            `json:"digest"`
	Run    RunSettings       `json:"run"`
	Limits Limits            `json:"limits"`
	Moved  map[string]string `json:"moved"`
	Jobs   []savedJob        `json:"jobs"`
}

type savedJob struct {
	Spec                Spec              `json:"spec"`
	SourcePassword      *secret.Ref       `json:"source_password,omitempty"`
	DestinationPassword *secret.Ref       `json:"destination_password,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"`
	Life                *Life             `json:"life,omitempty"` // nil for the zero Life
}

// Write writes s. The folders of password references become absolute.
func (s *Saved) Write(w io.Writer) error {
	c := savedContent{
		ID: s.ID, SavedAt: s.SavedAt, Version: s.Version, Ledger: s.Ledger, Options: s.Options, Changes: s.Changes,
		Plan: savedPlan{
			Name: s.Plan.Name, File: s.Plan.File, Digest: s.Plan.Digest, Run: s.Plan.Run, Limits: s.Plan.Limits,
			Moved: s.Plan.Moved, Jobs: make([]savedJob, len(s.Plan.Jobs)),
		},
	}
	for i := range s.Plan.Jobs {
		var err error
		if c.Plan.Jobs[i], err = newSavedJob(&s.Plan.Jobs[i]); err != nil {
			return err
		}
	}
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	before, after := savedFrame(digestOf(content))
	for _, part := range [][]byte{[]byte(before), content, []byte(after)} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// savedFrame is what stands around the content with that digest.
func savedFrame(digest string) (before, after string) {
	return savedHead + digest + `","content":` + "\n", "\n}\n"
}

// framed reports whether text is content in its frame, to the byte: the digest
// covers the content alone.
func framed(text, content []byte, digest string) bool {
	before, after := savedFrame(digest)
	inner, begins := bytes.CutPrefix(text, []byte(before))
	inner, ends := bytes.CutSuffix(inner, []byte(after))
	return begins && ends && bytes.Equal(inner, content)
}

func newSavedJob(job *Job) (savedJob, error) {
	j := savedJob{Spec: job.Spec, Labels: job.Labels}
	if job.Life != (Life{}) {
		j.Life = &job.Life
	}
	var err error
	if j.SourcePassword, err = anywhere(job.SourcePassword); err == nil {
		j.DestinationPassword, err = anywhere(job.DestinationPassword)
	}
	return j, err
}

// anywhere is ref as it is to be read from any folder.
func anywhere(ref *secret.Ref) (*secret.Ref, error) {
	if ref == nil {
		return nil, nil
	}
	there := *ref
	if there.File == "" && len(there.Command) == 0 {
		there.Dir = ""
		return &there, nil
	}
	dir, err := filepath.Abs(there.Dir)
	there.Dir = dir
	return &there, err
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// SavedError says why a file is no saved plan that can be carried out.
type SavedError struct{ Why string }

func (e *SavedError) Error() string { return e.Why }

// ReadSaved reads what Write wrote. The error is a *SavedError unless reading fails.
func ReadSaved(r io.Reader) (*Saved, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) (*Saved, error) {
		return nil, &SavedError{fmt.Sprintf(format, args...)}
	}
	if !strings.HasPrefix(string(text[:min(len(text), len(savedHead))]), SavedPrefix()) {
		return refuse("it is no saved plan: apsctl plan --out makes one")
	}
	var f savedFile
	if err := strictJSON(text, &f); err != nil {
		return refuse("it is not whole: %s", err)
	}
	if f.Version != 1 {
		return refuse("it has version %d, and this apsctl reads version 1: use the one that saved it", f.Version)
	}
	if digestOf(f.Content) != f.Digest || !framed(text, f.Content, f.Digest) {
		return refuse("it was changed since it was saved: a saved plan is carried out as it is or not at all; make a new one")
	}
	var c savedContent
	if err := strictJSON(f.Content, &c); err != nil {
		return refuse("it was saved by another apsctl: %s", err)
	}
	s := c.saved()
	if digest := hashPlan(s.Plan.Jobs); digest != s.Plan.Digest {
		return refuse("its jobs have the digest %s and it says %s: it was saved by another apsctl, or put together by hand", digest, s.Plan.Digest)
	}
	return s, nil
}

func strictJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows its end")
	}
	return nil
}

func (c savedContent) saved() *Saved {
	p := &Plan{
		Name: c.Plan.Name, File: c.Plan.File, Digest: c.Plan.Digest, Run: c.Plan.Run, Limits: c.Plan.Limits,
		Moved: c.Plan.Moved, Jobs: make([]Job, len(c.Plan.Jobs)),
	}
	for i, j := range c.Plan.Jobs {
		p.Jobs[i] = Job{
			Spec: j.Spec, SourcePassword: j.SourcePassword, DestinationPassword: j.DestinationPassword,
			Labels: j.Labels, Digest: HashSpec(j.Spec),
		}
		if j.Life != nil {
			p.Jobs[i].Life = *j.Life
		}
	}
	return &Saved{
		ID: c.ID, SavedAt: c.SavedAt, Version: c.Version, Ledger: c.Ledger, Options: c.Options, Plan: p, Changes: c.Changes,
	}
}
