// Package model is the creation protocol of docs/protocol.md as an explicit-state
// model: processes that crash and stand still at any step, one ledger, a network
// that delays, loses and duplicates, a gateway and a service. Search walks
// through every state that can be reached, breadth first, and so finds the
// shortest way to a bad one. No bad state can be reached under the full protocol;
// each rule can be left out, and each starred rule left out gives a trace.
//
//	go test ./internal/model                                 # over a million states, every rule
//	go test ./internal/model -run TestTraces -v              # print each shortest trace
//	go test ./internal/model -run TestLarge -v -model.long   # over ten million states
//	go test ./internal/model -run TestLarge -v -timeout 1h -model.states=40000000
//
// # Bad states
//
// Duplicate: the service has two jobs for one name that apsctl made. Orphan: it
// has one that the ledger does not hold as created with that id and does not
// cover by intent, unknown, conflict or duplicate. Unwitnessed: a create leaves
// whose nonce is not on disk (I3 in the tests of the runner). Early: an attempt
// is promised while an earlier one was neither surely refused nor certified
// absent (I5).
//
// # Time
//
// The clock ticks whenever it likes, between any two steps: a process that sleeps
// is one that is not scheduled meanwhile. Only ages are kept, and none counts past
// the point where it stops to matter, so that finitely many states cover runs of
// any length. The window of the gateway, the time of the service for a request
// and the lag of its listing are one tick each; within them all orders of events
// are gone through. Bounds are inclusive, the worst reading of them, and the one
// tick that settle has beyond their sum is its margin.
//
// # What is left out because it adds nothing
//
// An answer is not a message of its own: one that is late is a sender that is not
// scheduled, and one that is lost leaves its sender to the time-out. A process
// works on one name at a time: two workers are two processes without the lock. A
// process that is killed keeps nothing, so that crashes need no bound; a bound
// makes more states of less. States that differ only in which process or which
// name is which count as one.
//
// # Limits
//
// One ledger, whose commits are atomic and durable. One clock, so no skew. A
// process reads the ledger and lists in two steps, and each of them sees one
// moment. Nobody else makes a job of a wanted name while apsctl is trying to.
// Adoption, update, the state lost and what a person settles are left out. The
// code is not derived from the model, nor the model from the code: both follow
// docs/protocol.md. States are told apart by 64 bits of hash, see visited.
package model
