package plan

import (
	"hash/maphash"
	"maps"
	"strings"
)

// keeper makes the texts of jobs ready to outlive the file that they were read
// from. A text cut out of a file holds all of the file in memory, and many jobs
// say the same: region, user, destination, labels.
type keeper struct {
	seed   maphash.Seed
	texts  [1024]string // met lately, by hash
	labels map[string]map[string]string
}

// labelSetsMax bounds how many different sets of labels are looked up again.
const labelSetsMax = 4096

func newKeeper() *keeper {
	return &keeper{seed: maphash.MakeSeed(), labels: map[string]map[string]string{}}
}

// text returns an equal text that stands alone.
func (k *keeper) text(text string) string {
	slot := &k.texts[maphash.String(k.seed, text)%uint64(len(k.texts))]
	if *slot != text {
		*slot = strings.Clone(text)
	}
	return *slot
}

// set returns an equal set of labels, which other jobs may have as well.
func (k *keeper) set(labels map[string]string) map[string]string {
	if len(labels) == 0 {
		return labels
	}
	var all strings.Builder
	for _, key := range sortedKeys(labels) {
		all.WriteString(key)
		all.WriteByte(0)
		all.WriteString(labels[key])
		all.WriteByte(0)
	}
	if kept := k.labels[all.String()]; kept != nil {
		return kept
	}
	if len(k.labels) >= labelSetsMax {
		clear(k.labels)
	}
	kept := make(map[string]string, len(labels))
	for key, value := range maps.All(labels) {
		kept[k.text(key)] = k.text(value)
	}
	k.labels[all.String()] = kept
	return kept
}

// life returns an equal Life.
func (k *keeper) life(life Life) Life {
	life.Adopt.ID = k.text(life.Adopt.ID)
	life.SourcePasswordVersion = k.text(life.SourcePasswordVersion)
	life.DestinationPasswordVersion = k.text(life.DestinationPasswordVersion)
	return life
}
