package human

import (
	"testing"
	"time"
)

func TestForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"1,234,567":  Number(1234567),
		"-1,234":     Number(int64(-1234)),
		"0 jobs":     Jobs(0),
		"1 job":      Jobs(1),
		"1,000 jobs": Jobs(1000),
		"12ms":       Duration(12345 * time.Microsecond),
		"1.2s":       Duration(1234 * time.Millisecond),
		"1m1s":       Duration(61400 * time.Millisecond),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
