package plan

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// editDistance returns how many characters must be added, removed, changed or
// swapped with their neighbour to turn a into b. Past limit it returns limit+1
// without counting on.
func editDistance(a, b string, limit int) int {
	if gap := utf8.RuneCountInString(a) - utf8.RuneCountInString(b); gap > limit || -gap > limit {
		return limit + 1
	}
	// Most words are short: their rows need no memory of their own.
	var runes [2][32]rune
	var rows [3][33]int
	x, y := appendRunes(runes[0][:0], a), appendRunes(runes[1][:0], b)
	before, last, row := rowOf(rows[0][:], len(y)), rowOf(rows[1][:], len(y)), rowOf(rows[2][:], len(y))
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			change := 1
			if x[i] == y[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], limit+1)
}

func appendRunes(to []rune, text string) []rune {
	for _, r := range text {
		to = append(to, r)
	}
	return to
}

func rowOf(room []int, n int) []int {
	if n < len(room) {
		return room[:n+1]
	}
	return make([]int, n+1)
}

// nearest returns the one of names that word was probably meant to be, or "".
func nearest(word string, names []string) string {
	best, bestDistance := "", 0
	for _, name := range names {
		if d, ok := slips(word, name); ok && (best == "" || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	return best
}

// nearestFew returns those of names that word was probably meant to be, the
// closest first, and at most so many.
func nearestFew(word string, names []string, most int) []string {
	var few []string
	distance := map[string]int{}
	for _, name := range names {
		if d, ok := slips(word, name); ok {
			few, distance[name] = append(few, name), d
		}
	}
	slices.SortStableFunc(few, func(x, y string) int { return distance[x] - distance[y] })
	return few[:min(len(few), most)]
}

// slips returns how far word is from name, whatever their case, and whether it was
// probably meant to be it: within a third of its length, and at least one slip.
func slips(word, name string) (int, bool) {
	limit := (len(name) + 1) / 3 // of a single letter, any other would be near
	d := editDistance(strings.ToLower(word), strings.ToLower(name), limit)
	return d, d <= limit
}
