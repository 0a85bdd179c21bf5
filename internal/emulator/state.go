package emulator

import (
	"crypto/rand"
	"errors"
	"math/big"
	"sync"
	"time"
)

// state is everything that outlives a request: jobs, nonces, the account. Each
// change is in the journal before it is in memory, and in memory before the
// answer is sent. Safe for concurrent use.
type state struct {
	byID bool // how shelves are sorted

	mu      sync.RWMutex
	journal *journal // nil keeps everything in memory
	account string
	jobs    map[string]*job
	shelves map[place]*shelf
	nonces  nonces
	seq     int64
}

// openState reads the journal at path, or starts an empty state in memory if
// path is empty. now decides which nonces are too old to keep.
func openState(path string, byID bool, now time.Time) (*state, error) {
	s := &state{byID: byID, jobs: map[string]*job{}, shelves: map[place]*shelf{}, nonces: newNonces()}
	if path != "" {
		var err error
		if s.journal, err = openJournal(path, s, now); err != nil {
			return nil, err
		}
	}
	if s.account == "" {
		s.account = newAccount()
	}
	for _, j := range s.jobs {
		s.seq = max(s.seq, j.Seq)
	}
	for _, j := range inOrder(s.jobs) {
		s.shelf(j.place()).add(j)
	}
	return s, nil
}

func (s *state) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

func (s *state) shelf(p place) *shelf {
	found := s.shelves[p]
	if found == nil {
		found = newShelf(s.byID)
		s.shelves[p] = found
	}
	return found
}

// errReplay tells that a nonce was seen before.
var errReplay = errors.New("nonce was used before")

// useNonce records that the key has used the nonce, or returns errReplay.
func (s *state) useNonce(keyID, nonce string, until, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := nonceID{keyID, nonce}
	if s.nonces.seen(id, now) {
		return errReplay
	}
	if err := s.write(line{Nonce: &nonceLine{Key: keyID, Nonce: nonce, UntilMs: until.UnixMilli()}}); err != nil {
		return err
	}
	s.nonces.add(id, until, now)
	return nil
}

// create asks allow under the lock, then gives the job its id and keeps it.
func (s *state) create(draft job, allow func(*shelf) *problem) (*job, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf := s.shelf(draft.place())
	if p := allow(shelf); p != nil {
		return nil, p
	}
	for draft.ID == "" || s.jobs[draft.ID] != nil {
		draft.ID = newJobID(draft.Region)
	}
	draft.Seq = s.seq + 1
	if err := s.write(line{Job: &draft}); err != nil {
		return nil, broken(err)
	}
	s.seq++
	s.jobs[draft.ID] = &draft
	shelf.add(&draft)
	return &draft, nil
}

// change replaces the job by what next returns. A nil job from next deletes it.
func (s *state) change(p place, id string, next func(*job) (*job, *problem)) *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.jobs[id]
	if old == nil || old.place() != p {
		return unknownJob(id)
	}
	changed, refusal := next(old)
	if refusal != nil {
		return refusal
	}
	entry := line{Job: changed}
	if changed == nil {
		entry = line{Gone: id}
	}
	if err := s.write(entry); err != nil {
		return broken(err)
	}
	if changed == nil {
		delete(s.jobs, id)
		s.shelf(p).remove(old)
		return nil
	}
	s.jobs[id] = changed
	s.shelf(p).replace(changed)
	return nil
}

// job returns the job if it exists in the place, else nil.
func (s *state) job(p place, id string) *job {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if j := s.jobs[id]; j != nil && j.place() == p {
		return j
	}
	return nil
}

// view calls see with the shelf of the place, which may be nil, under the lock.
func (s *state) view(p place, see func(*shelf)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	see(s.shelves[p])
}

// totals counts live jobs and the surplus ones among them, over all places.
func (s *state) totals() (jobs, surplus int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, shelf := range s.shelves {
		surplus += shelf.surplus
	}
	return len(s.jobs), surplus
}

// all returns every live job, oldest first.
func (s *state) all() []*job {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return inOrder(s.jobs)
}

func (s *state) write(entry line) error {
	if s.journal == nil {
		return nil
	}
	return s.journal.append(entry)
}

// newAccount returns a random 16-digit account id that starts with no zero.
func newAccount() string {
	lowest := big.NewInt(1_000_000_000_000_000)
	span := new(big.Int).Mul(lowest, big.NewInt(9))
	n, err := rand.Int(rand.Reader, span)
	if err != nil {
		panic(err) // the system's source of randomness never fails
	}
	return n.Add(n, lowest).String()
}
