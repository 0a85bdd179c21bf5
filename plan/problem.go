package plan

import (
	"fmt"
	"strings"
)

const (
	// ProblemsMax is the most problems that are reported; there may be more.
	ProblemsMax = 1000
	// problemsShown bounds what Problems.Error writes.
	problemsShown = 100
)

// Problem is one thing that is wrong with a plan file, and where. All its texts
// are single lines, safe for a terminal, and hold no password: Source has stars
// in place of whatever stands under a key that looks like one for a secret.
type Problem struct {
	Pos Position
	// Message says what is wrong; Hint, which may be empty, what to do.
	Message, Hint string
	// Source is the source line, cut to a readable length around the place. It is
	// empty when there is no line to show.
	Source string
	// Mark and Width say which cells of Source the problem is about: Width cells
	// after the first Mark.
	Mark, Width int
}

// String renders p as a compiler does, without a newline at the end:
//
//	plan.yaml:12:5: unknown key "soruce" in jobs[3]
//	   12 |     soruce:
//	      |     ^^^^^^
//	      did you mean "source"?
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", p.Pos, p.Message)
	margin := 6
	if p.Source != "" {
		number := fmt.Sprintf("%5d", p.Pos.Line)
		margin = len(number) + 1
		fmt.Fprintf(&b, "\n%s | %s", number, p.Source)
		fmt.Fprintf(&b, "\n%*s| %*s%s", margin, "", p.Mark, "", strings.Repeat("^", max(p.Width, 1)))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "\n%*s%s", margin, "", p.Hint)
	}
	return b.String()
}

// Problems is everything that is wrong with a plan file, in order of line and
// column, without repetitions and at most 1,000. It is never empty as an error.
type Problems []Problem

// Error renders the first 100 problems, one below the other.
func (ps Problems) Error() string {
	shown := ps[:min(len(ps), problemsShown)]
	var b strings.Builder
	for i, p := range shown {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	if more := len(ps) - len(shown); more > 0 {
		atLeast := ""
		if len(ps) >= ProblemsMax {
			atLeast = "at least "
		}
		fmt.Fprintf(&b, "\nand %s%d more", atLeast, more)
	}
	return b.String()
}
