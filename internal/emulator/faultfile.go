package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/goccy/go-yaml"
)

const (
	faultFileMaxBytes = 32 << 10
	faultDepthMax     = 16
)

// faultEntry is a fault as it is written in a file. Pointers tell absent from
// zero, which matters for share.
type faultEntry struct {
	Operation string    `yaml:"operation"`
	Kind      FaultKind `yaml:"kind"`
	When      FaultTime `yaml:"when"`
	Share     *float64  `yaml:"share"`
	Skip      int       `yaml:"skip"`
	Count     int       `yaml:"count"`
	Seed      uint64    `yaml:"seed"`
	Status    int       `yaml:"status"`
	Code      string    `yaml:"code"`
	Hint      Hint      `yaml:"hint"`
	Wait      string    `yaml:"wait"`
	Hold      string    `yaml:"hold"`
}

// LoadFaults reads a list of faults from a YAML or JSON file. The keys are the
// fields of [Fault] in lower case; wait and hold are durations such as 30s.
// Unknown keys, wrong values and faults that could strike nothing are errors.
func LoadFaults(path string) ([]Fault, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, faultFileMaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	faults, err := parseFaults(text)
	if err != nil {
		return nil, fmt.Errorf("faults: %s: %w", path, err)
	}
	return faults, nil
}

// parseFaults reads exactly one document: a list. An empty one is no faults.
func parseFaults(text []byte) ([]Fault, error) {
	if len(text) > faultFileMaxBytes {
		return nil, fmt.Errorf("larger than %d bytes", faultFileMaxBytes)
	}
	if nestedTooDeep(text) {
		return nil, fmt.Errorf("nested more than %d deep: want a flat list of faults", faultDepthMax)
	}
	entries, err := decodeFaults(text)
	if err != nil {
		return nil, err
	}
	faults := make([]Fault, 0, len(entries))
	for i, entry := range entries {
		f, err := entry.fault()
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func decodeFaults(text []byte) (entries []faultEntry, err error) {
	// The parser panics on some odd tags, such as "! {a}".
	defer func() {
		if recover() != nil {
			err = errors.New("the text is not YAML that can be read: want a list of faults")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := decoder.Decode(&entries); errors.Is(err, io.EOF) {
		return nil, errors.New("empty: want a list of faults, or [] for none")
	} else if err != nil {
		return nil, fmt.Errorf("want a list of faults, each with operation, kind and when: %s", yaml.FormatError(err, false, false))
	}
	// Not into any: that would expand whatever aliases a second one holds.
	if err := decoder.Decode(new([]faultEntry)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document: want one list of faults")
	}
	return entries, nil
}

// nestedTooDeep is a rough look at the text: the YAML parser takes time with
// the square of the depth, and a list of faults is three levels deep.
func nestedTooDeep(text []byte) bool {
	depth := 0
	for line := range bytes.Lines(text) {
		if bytes.Count(line, []byte("- "))+bytes.Count(line, []byte("? ")) > faultDepthMax {
			return true
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			if depth > faultDepthMax {
				return true
			}
		}
	}
	return false
}

func (e faultEntry) fault() (Fault, error) {
	f := Fault{
		Operation: e.Operation, Kind: e.Kind, When: e.When, Skip: e.Skip, Count: e.Count,
		Seed: e.Seed, Status: e.Status, Code: e.Code, Hint: e.Hint,
	}
	if e.Share != nil {
		if f.Share = *e.Share; f.Share == 0 {
			return f, errors.New("share 0 never strikes; leave the fault out, or the share for always")
		}
	}
	var err error
	if f.Wait, err = duration("wait", e.Wait); err != nil {
		return f, err
	}
	if f.Hold, err = duration("hold", e.Hold); err != nil {
		return f, err
	}
	return f.withDefaults()
}

func duration(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a duration such as 30s or 500ms", field, clip(text))
	}
	return d, nil
}
