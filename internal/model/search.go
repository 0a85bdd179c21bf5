package model

import (
	"runtime"
	"sync"
)

// batchSize is how many states one worker expands at a time.
const batchSize = 2048

// Result is what a search found.
type Result struct {
	States   int   // told apart, one standing for all that differ by names only
	Depth    int   // steps to the farthest of them
	Complete bool  // every state that can be reached was looked at
	Bad      Bad   // of the first bad state, 0 if there is none
	Trace    Trace // the shortest way there
}

// Search looks for the nearest state that is bad in a way that watch has,
// breadth first, until it finds one, has seen all there are, or has seen most
// states. The result is the same each time, whatever the machine.
func Search(c Config, watch Bad, most int) Result {
	s := &search{config: c, watch: watch, most: most, seen: newVisited()}
	first := c.start()
	s.seen.add(c.fingerprint(&first), 0)
	layer := []reached{{first, 0}}
	for len(layer) > 0 && s.hit == nil && s.seen.len() < most {
		layer = s.expand(layer)
		if len(layer) > 0 {
			s.depth++
		}
	}
	r := Result{States: s.seen.len(), Depth: s.depth, Complete: s.hit == nil && len(layer) == 0}
	if s.hit != nil {
		r.Bad = s.hit.Bad
		r.Trace = replay(c, watch, s.seen.path(s.hit.index))
	}
	return r
}

// reached is a state with its index in the order of discovery.
type reached struct {
	State
	index uint32
}

type search struct {
	config Config
	watch  Bad
	most   int
	seen   *visited
	depth  int
	hit    *reached
}

// candidate is a state that a worker came to; it may have been seen before.
type candidate struct {
	State
	print  uint64
	parent uint32
}

// expand returns the states one step beyond layer that are new, in a fixed order:
// the workers only list them, and one goroutine takes them in, batch by batch.
func (s *search) expand(layer []reached) []reached {
	batches := (len(layer) + batchSize - 1) / batchSize
	results := make([]chan []candidate, batches)
	for i := range results {
		results[i] = make(chan []candidate, 1)
	}
	spare := sync.Pool{}
	workers := min(runtime.GOMAXPROCS(0), batches)
	ahead := make(chan struct{}, 2*workers+2) // bounds what waits to be taken in
	todo := make(chan int)
	done := make(chan struct{})
	defer close(done)
	go feed(batches, ahead, todo, done)
	for range workers {
		go s.work(layer, todo, results, &spare)
	}
	var following []reached
	for _, result := range results {
		list := <-result
		<-ahead
		if following = s.take(list, following); s.hit != nil || s.seen.len() >= s.most {
			break
		}
		spare.Put(&list)
	}
	return following
}

// feed hands out the batches in order, no more than fit into ahead.
func feed(batches int, ahead chan<- struct{}, todo chan<- int, done <-chan struct{}) {
	defer close(todo)
	for i := range batches {
		select {
		case ahead <- struct{}{}:
		case <-done:
			return
		}
		select {
		case todo <- i:
		case <-done:
			return
		}
	}
}

func (s *search) work(layer []reached, todo <-chan int, results []chan []candidate, spare *sync.Pool) {
	e := expander{Config: &s.config}
	for i := range todo {
		var list []candidate
		if old, ok := spare.Get().(*[]candidate); ok {
			list = (*old)[:0]
		}
		for _, from := range layer[i*batchSize : min((i+1)*batchSize, len(layer))] {
			for _, n := range e.expand(from.State) {
				n.Bad &= s.watch
				list = append(list, candidate{n.State, s.config.fingerprint(&n.State), from.index})
			}
		}
		results[i] <- list
	}
}

// take adds what is new in list to the set and to following.
func (s *search) take(list []candidate, following []reached) []reached {
	for _, c := range list {
		if s.seen.len() >= s.most {
			break
		}
		index, ok := s.seen.add(c.print, c.parent)
		if !ok {
			continue
		}
		f := reached{c.State, index}
		if following = append(following, f); c.Bad != 0 {
			s.hit = &f
			break
		}
	}
	return following
}
