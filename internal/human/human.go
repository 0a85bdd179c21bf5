// Package human writes numbers and durations as people read them.
package human

import (
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

var english = message.NewPrinter(language.English)

// Number returns n with its thousands apart: 1,234. It is safe for concurrent use.
func Number[N int | int64](n N) string { return english.Sprintf("%d", n) }

// Jobs returns n as a number of jobs: "1 job", "1,234 jobs", and "0 jobs".
func Jobs(n int) string {
	if n == 1 {
		return "1 job"
	}
	return Number(n) + " jobs"
}

// Duration returns what matters of d: milliseconds below a second, tenths below a
// minute, else seconds.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
