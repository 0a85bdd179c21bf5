package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// Wait says when a wave is over.
type Wait string

const (
	WaitCreated Wait = "created" // the service took each of its changes
	WaitRunning Wait = "running" // its jobs run as well; the default
)

// restOfJobs is the word for a wave that has no size: all jobs that are left.
const restOfJobs = "rest"

// wavesMax bounds the waves of one run, and waveMax the jobs of one that has a size.
const (
	wavesMax = 100
	waveMax  = 1_000_000
)

// ParseWaves reads sizes of waves such as 1,10,100,rest.
func ParseWaves(text string) ([]int, error) { return waves(strings.Split(text, ",")) }

// waves returns the sizes of the waves but the last, which is the rest.
func waves(words []string) ([]int, error) {
	last := len(words) - 1
	if last < 0 || strings.TrimSpace(words[last]) != restOfJobs {
		return nil, fmt.Errorf("the last wave is %s, for all jobs that are left", restOfJobs)
	}
	if len(words) > wavesMax {
		return nil, fmt.Errorf("%d waves are more than %d", len(words), wavesMax)
	}
	sizes := make([]int, last)
	for i, word := range words[:last] {
		size, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || size < 1 || size > waveMax {
			return nil, fmt.Errorf("a wave is a whole number of jobs from 1 to %d, not %q", waveMax, word)
		}
		sizes[i] = size
	}
	return sizes, nil
}

// waves reads the list of a run's waves; nil when it is none.
func (d *decoder) waves(n *node, path string) []int {
	if !d.wants(n, nodeList, path) {
		return nil
	}
	words := make([]string, len(n.items))
	for i, item := range n.items {
		var ok bool
		if words[i], ok = d.scalar(item, path); !ok {
			return nil
		}
	}
	sizes, err := waves(words)
	if err != nil {
		n.wrong("such as [1, 10, 100, rest]", "%s: %s", path, err)
	}
	return sizes
}

// word is one of a few words; nil when n is none of them.
func word[T ~string](d *decoder, n *node, path string, values ...T) *T {
	value, ok := oneOf(d, n, path, values...)
	if !ok {
		return nil
	}
	return &value
}
