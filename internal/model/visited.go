package model

// visited is the set of states seen so far, in the order of their discovery,
// each with the state it was first reached from.
//
// A state is known by 64 bits of hash only, at 12 bytes here and 4 to 8 in the
// table. Among n states the chance that any two share a hash is about n²/2⁶⁵:
// 3 in 10⁸ for a million states, 3 in 10⁶ for ten million, and 3 in 10⁴ for a
// hundred million. Two such states would be taken for one and what follows the
// second not looked at. A trace is safe from that: it is played again, step by
// step.
type visited struct {
	prints  []uint64
	parents []uint32
	table   []uint32 // 0: free; else 1 + index into prints; a power of two long
}

// tableMin is the smallest length of the table.
const tableMin = 1 << 16

func newVisited() *visited {
	return &visited{table: make([]uint32, tableMin)}
}

// add adds a state and returns its index. ok is false if it was there already.
func (v *visited) add(print uint64, parent uint32) (index uint32, ok bool) {
	if 4*len(v.prints) >= 3*len(v.table) {
		v.grow()
	}
	slot := v.slot(print)
	if v.table[slot] != 0 {
		return 0, false
	}
	v.prints = append(v.prints, print)
	v.parents = append(v.parents, parent)
	v.table[slot] = uint32(len(v.prints))
	return uint32(len(v.prints) - 1), true
}

// slot is where print is in the table, or would be.
func (v *visited) slot(print uint64) uint64 {
	mask := uint64(len(v.table) - 1)
	slot := print & mask
	for v.table[slot] != 0 && v.prints[v.table[slot]-1] != print {
		slot = (slot + 1) & mask
	}
	return slot
}

func (v *visited) grow() {
	v.table = make([]uint32, 2*len(v.table))
	for i, print := range v.prints {
		v.table[v.slot(print)] = uint32(i + 1)
	}
}

func (v *visited) len() int { return len(v.prints) }

// path is the fingerprints from the first state to the one at index.
func (v *visited) path(index uint32) []uint64 {
	var path []uint64
	for index != 0 {
		path = append(path, v.prints[index])
		index = v.parents[index]
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path
}
