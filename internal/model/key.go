package model

import (
	"cmp"
	"math/bits"
	"slices"
)

// key is a state packed into words, so that it can be compared and hashed.
type key struct {
	head  uint64
	jobs  [maxNames][3]uint64
	procs [maxProcs]uint64
}

func pack(s *State) key {
	k := key{head: word(s.Copies, s.Crashes, s.Losses, uint8(s.Bad), 0, 0, 0, 0)}
	for i := range s.Jobs {
		j := &s.Jobs[i]
		f := bit(j.Baseline) | bit(j.Open)<<1
		k.jobs[i] = [3]uint64{
			word(uint8(j.Row), j.Attempt, j.Age, j.ID, f, j.Used, j.Made, j.MadeAge),
			packCreate(&j.Creates[0]) | packCreate(&j.Creates[1])<<32,
			packCreate(&j.Creates[2]) | uint64(j.Foreign)<<32,
		}
	}
	for i := range s.Procs {
		p := &s.Procs[i]
		k.procs[i] = word(uint8(p.PC), p.Name, uint8(p.From), p.Attempt, p.Age, p.Create, uint8(p.To), uint8(p.Flags))
	}
	return k
}

func packCreate(c *Create) uint64 {
	return word(c.Age, c.Flight, c.Work, bit(c.OnDisk)|bit(c.Seen)<<1, 0, 0, 0, 0)
}

func word(a, b, c, d, e, f, g, h uint8) uint64 {
	return uint64(a) | uint64(b)<<8 | uint64(c)<<16 | uint64(d)<<24 |
		uint64(e)<<32 | uint64(f)<<40 | uint64(g)<<48 | uint64(h)<<56
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// fingerprint is the hash by which a state is known.
func (c *Config) fingerprint(s *State) uint64 { return hash(c.canonical(s)) }

// canonical is the same for states that differ only in which process or which
// name is which: nothing in the protocol tells them apart, so that one of them
// stands for all.
func (c *Config) canonical(s *State) key {
	k := pack(s)
	if c.Names == 1 {
		return k.sorted()
	}
	swapped := k.swapped()
	switch slices.Compare(k.jobs[0][:], k.jobs[1][:]) {
	case -1:
		return k.sorted()
	case 1:
		return swapped.sorted()
	}
	k, swapped = k.sorted(), swapped.sorted()
	if slices.Compare(k.procs[:], swapped.procs[:]) > 0 {
		return swapped
	}
	return k
}

// swapped is k with its two names exchanged.
func (k key) swapped() key {
	k.jobs[0], k.jobs[1] = k.jobs[1], k.jobs[0]
	for i, p := range k.procs {
		if p != 0 { // it is not idle
			k.procs[i] = p ^ 1<<8
		}
	}
	return k
}

// sorted is k with its processes in a fixed order.
func (k key) sorted() key {
	order := func(i, j int) {
		if cmp.Less(k.procs[j], k.procs[i]) {
			k.procs[i], k.procs[j] = k.procs[j], k.procs[i]
		}
	}
	order(0, 1)
	order(1, 2)
	order(0, 1)
	return k
}

// hash mixes the words by long multiplications with fixed odd constants.
func hash(k key) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	mix := func(w uint64) {
		hi, lo := bits.Mul64(h^w, 0xd6e8feb86659fd93)
		h = hi ^ lo + 0xa0761d6478bd642f
	}
	mix(k.head)
	for i := range k.jobs {
		mix(k.jobs[i][0])
		mix(k.jobs[i][1])
		mix(k.jobs[i][2])
	}
	for _, p := range k.procs {
		mix(p)
	}
	mix(0)
	return h
}
