package model

// row is a state of the ledger, or what a process saw there.
type row uint8

const (
	rowNone row = iota
	rowIntent
	rowUnknown
	rowCreated
	rowRejected
	rowNotSent
	rowAbsent
	rowDuplicate
)

func (r row) String() string {
	return [...]string{"no entry", "intent", "unknown", "created", "rejected", "not-sent", "absent", "duplicate"}[r]
}

func (r row) unresolved() bool { return r == rowIntent || r == rowUnknown }

// pc is where a process is in the protocol: what it does next.
type pc uint8

const (
	pcIdle   pc = iota // not running
	pcScan             // list, to see that nothing is there
	pcChoose           // read the ledger again, choose nonce and date
	pcRetry            // choose nonce and date for another attempt of this run
	pcCommit           // commit the intent
	pcCheck            // check that the date is fresh
	pcSend             // send
	pcWait             // wait for the answer
	pcAnswer           // commit the verdict
	pcLook             // list, to find an unresolved create
	pcLook2            // list again
	pcAged             // date the absence by the end of the listing
	pcAbsent           // commit the absence
	pcFound            // commit the job that was found
)

// State is everything there is at one moment. It is a value: equal states are ==.
type State struct {
	Copies, Crashes, Losses uint8 // that may still happen
	Bad                     Bad
	Jobs                    [maxNames]Job
	Procs                   [maxProcs]Proc
}

// Job is one wanted job: its row in the ledger, and what the network and the
// service have of it.
type Job struct {
	// On disk: the latest attempt's number and the age of its date, the create
	// that a created row names, 1 and up.
	Row          row
	Attempt, Age uint8
	ID           uint8
	Baseline     bool // a foreign job was listed before the latest attempt
	// Open: an attempt was promised that is neither surely refused nor
	// certified absent. Nobody in the model sees it; Early is judged by it.
	Open bool

	Used    uint8   // creates so far
	Made    uint8   // the create that made the job on the service, 1 and up
	MadeAge uint8   // since then
	Foreign foreign // another job of that name on the service
	Creates [maxCreates]Create
}

// foreign is a job of a wanted name that the ledger does not know.
type foreign uint8

const (
	foreignNone  foreign = iota
	foreignOther         // not made by apsctl
	foreignLost          // made by apsctl, and forgotten with a lost ledger
)

// idForeign stands in Job.ID for the foreign job.
const idForeign = maxCreates + 1

// Create is one create request, known by its nonce.
type Create struct {
	Age    uint8 // of its date
	Flight uint8 // copies on their way to the gateway
	Work   uint8 // 0: not being worked on; else 1 + age since acceptance
	OnDisk bool  // its nonce is in the ledger
	Seen   bool  // the gateway knows its nonce
}

// Proc is one process.
type Proc struct {
	PC      pc
	Name    uint8 // of the job it works on, an index
	From    row   // what the row has to be for its next commit
	Attempt uint8 // and at which attempt
	Age     uint8 // of the date it goes by
	Create  uint8 // its request, 1 and up
	To      row   // what it is about to write
	Flags   flags
}

type flags uint8

const (
	flagHidden   flags = 1 << iota // its credentials hide every job
	flagBaseline                   // it saw a foreign job before its attempt
	flagSure                       // its verdict is certain
	flagForeign                    // it found the foreign job
)

func (p *Proc) has(f flags) bool { return p.Flags&f != 0 }

// sending reports whether p may still send create n, 1 and up, of name.
func (p *Proc) sending(name int, n int) bool {
	return int(p.Name) == name && int(p.Create) == n && (p.PC == pcCheck || p.PC == pcSend)
}

// normalize sets to zero what can no longer matter, so that states which only
// differ in it are one state.
func (c *Config) normalize(s *State) {
	for name := range c.Names {
		job := &s.Jobs[name]
		if !job.Row.unresolved() {
			job.Age, job.Baseline = 0, false
		}
		for i := range job.Used {
			create := &job.Creates[i]
			if create.Flight == 0 && !s.mayBeSent(name, int(i)+1) {
				create.Age, create.OnDisk, create.Seen = 0, false, false
			}
		}
	}
	for i := range c.Procs {
		p := &s.Procs[i]
		if p.PC == pcIdle {
			*p = Proc{}
		}
	}
}

func (s *State) mayBeSent(name, n int) bool {
	for i := range s.Procs {
		if s.Procs[i].sending(name, n) {
			return true
		}
	}
	return false
}
