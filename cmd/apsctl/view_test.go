package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/runner"
)

var viewSizes = [][2]int{{80, 24}, {40, 10}, {120, 40}, {24, 5}}

// noon is when the pictures of the tests were taken.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func in(d time.Duration) time.Time { return noon.Add(d) }

func working(n int, doing string) []runner.Working {
	var all []runner.Working
	for i := range n {
		all = append(all, runner.Working{Name: fmt.Sprintf("orders-%02d", i), Doing: doing, Attempt: 1, Since: in(-200 * time.Millisecond)})
	}
	return all
}

func views() map[string]runView {
	busy := working(8, "create")
	busy[2].Name, busy[2].Since, busy[2].Attempt = "订单库-归档-同步任务-华东-一号", in(-12*time.Second), 3
	unknowns := func(n int) []runner.Unknown {
		var all []runner.Unknown
		for i := range n {
			all = append(all, runner.Unknown{Name: fmt.Sprintf("lost-%02d", i), SettlesAt: in(30*time.Minute + 12*time.Second), Until: in(9 * time.Second)})
		}
		return all
	}
	return map[string]runView{
		"start": {Picture: runner.Picture{At: noon, Progress: runner.Progress{Total: 401, Rate: 8, InFlight: 8, Waves: 1}, Working: working(8, "create")}},
		"middle": {pace: 12.34, Picture: runner.Picture{
			At: noon, Working: busy, RetryAt: in(3 * time.Second), Unknowns: unknowns(7), LookAt: in(25 * time.Second),
			Retries: []runner.Retries{{Cause: "Throttling.User", Jobs: 12}, {Cause: "ServiceUnavailable", Jobs: 3}, {Cause: "a\x1b[2J\nb", Jobs: 1}},
			Progress: runner.Progress{
				Total: 1000, Done: 412, Created: 407, Failed: 5, Unknown: 7, InFlight: 8, Waiting: 16, Rate: 14.3, Waves: 1, Elapsed: 3 * time.Minute,
			},
		}},
		"throttled": {Picture: runner.Picture{
			At: noon, Working: working(8, "create"), HeldUntil: in(41 * time.Second), RetryAt: in(41 * time.Second),
			Retries:  []runner.Retries{{Cause: "Throttling.User", Jobs: 8}},
			Progress: runner.Progress{Total: 500, Done: 30, Created: 30, Waiting: 8, Rate: 0.1, Waves: 1, Elapsed: 65 * time.Second, Cause: "Throttling.User"},
		}},
		"waves": {pace: 0.05, Picture: runner.Picture{
			At: noon, WaveOpen: 3, Parked: 4, Working: []runner.Working{{Name: "orders-12", Doing: "start", Attempt: 1, Since: in(-3 * time.Second)}},
			Progress: runner.Progress{Total: 500, Done: 30, Created: 30, Wave: 2, Waves: 3, Starting: 2, Rate: 20, Elapsed: 2*time.Hour + 5*time.Minute},
		}},
		"settling": {Picture: runner.Picture{
			At: noon, Unknowns: []runner.Unknown{{Name: "lost-00", SettlesAt: in(-time.Second), Until: in(time.Hour)}, {Name: "lost-01", SettlesAt: in(time.Minute), Until: in(time.Hour)}},
			Progress: runner.Progress{Total: 2, Unknown: 2, Waves: 1, Elapsed: 30 * time.Minute},
		}},
		"stopping": {pace: 3, Picture: runner.Picture{
			At: noon, Stopping: runner.StopInterrupted, Working: busy[2:4],
			Progress: runner.Progress{Total: 100, Done: 40, Created: 40, InFlight: 2, Waves: 1, Rate: 20, Elapsed: 13 * time.Second},
		}},
		"many workers": {pace: 150, Picture: runner.Picture{
			At: noon, Working: working(256, "update"),
			Progress: runner.Progress{Total: 100000, Done: 99999, Waves: 1, InFlight: 256, Rate: 1e6, Elapsed: 11 * time.Minute},
		}},
	}
}

// TestRunViewFitsEverySize compares the view with testdata/view, one file a picture;
// -update writes them anew.
func TestRunViewFitsEverySize(t *testing.T) {
	for name, view := range views() {
		var got bytes.Buffer
		for _, size := range viewSizes {
			width, height := size[0], size[1]
			lines := view.lines(width-1, height-1)
			if len(lines) > height-1 {
				t.Errorf("%s at %dx%d takes %d lines", name, width, height, len(lines))
			}
			fmt.Fprintf(&got, "--- %dx%d\n", width, height)
			for _, line := range lines {
				shown := line.render(width-1, false)
				if printable.Width(shown) > width-1 {
					t.Errorf("%s at %dx%d has a line of %d cells: %s", name, width, height, printable.Width(shown), shown)
				}
				fmt.Fprintln(&got, shown)
			}
		}
		golden(t, "view/"+strings.ReplaceAll(name, " ", "-")+".txt", got.String())
	}
}

// TestRunViewOfAnySizeStaysWithinIt would fail by a panic as well.
func TestRunViewOfAnySizeStaysWithinIt(t *testing.T) {
	for name, view := range views() {
		for width := range 130 {
			for height := range 45 {
				lines := view.lines(width, height)
				if len(lines) > height {
					t.Fatalf("%s at %dx%d takes %d lines", name, width, height, len(lines))
				}
				for _, line := range lines {
					if shown := line.render(width, false); printable.Width(shown) > width || strings.ContainsAny(shown, "\x1b\n") {
						t.Fatalf("%s at %dx%d has the line %q", name, width, height, shown)
					}
				}
			}
		}
	}
}

func TestLongestAtWorkAreShownWhereTheyAre(t *testing.T) {
	v := runView{Picture: runner.Picture{At: noon, Working: working(6, "create")}}
	v.Working[4].Since, v.Working[1].Since = in(-time.Minute), in(-time.Hour)
	var names []string
	for _, w := range v.longest(2) {
		names = append(names, w.Name)
	}
	if want := []string{"orders-01", "orders-04"}; !slices.Equal(names, want) {
		t.Errorf("shown are %v, want %v", names, want)
	}
}

func TestColourIsOnlyColour(t *testing.T) {
	for name, view := range views() {
		for _, line := range view.lines(79, 23) {
			coloured := line.render(79, true)
			if got, want := strings.TrimRight(text.StripEscape(coloured), " "), line.render(79, false); got != want {
				t.Errorf("%s: without its colours the line is %q, want %q", name, got, want)
			}
		}
	}
}

func TestPaceIsOfTheLastHalfMinute(t *testing.T) {
	var p pace
	if got := p.note(noon, 0); got != 0 {
		t.Errorf("after nothing it is %v", got)
	}
	if got := p.note(in(time.Second), 50); got != 0 {
		t.Errorf("after a second it is %v", got)
	}
	for i := range 100 { // one a second
		p.note(in(time.Duration(i+2)*time.Second), 50+i)
	}
	if got := p.note(in(102*time.Second), 150); got < 0.9 || got > 1.1 {
		t.Errorf("it is %v jobs a second, want 1", got)
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 400 * time.Millisecond: "0s", 59600 * time.Millisecond: "1m00s", 61 * time.Second: "1m01s",
		time.Hour - time.Millisecond: "1h00m", 125 * time.Minute: "2h05m", 50 * time.Hour: "50h00m",
	} {
		if got := brief(d); got != want {
			t.Errorf("brief(%s) = %s, want %s", d, got, want)
		}
	}
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
