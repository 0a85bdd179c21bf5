package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/runner"
)

func TestProgressLine(t *testing.T) {
	tests := []struct {
		name     string
		progress runner.Progress
		want     string
	}{
		{"at the start", runner.Progress{Total: 12, InFlight: 8, Rate: 8}, "0/12 done, 8 in flight, up to 8/s"},
		{"in the middle", runner.Progress{
			Total: 1000, Done: 500, Created: 498, Failed: 2, Unknown: 3, InFlight: 8, Waiting: 4,
			Cause: "Throttling.User", Rate: 43.21, Elapsed: 10 * time.Second,
		}, "500/1000 done, 498 created, 2 failed, 3 unknown, being looked for, 8 in flight, 4 waiting to retry (Throttling.User), up to 43.2/s, about 10s left"},
		{"hostile cause", runner.Progress{Total: 1, Waiting: 1, Cause: "a\x1b[2J\nb"}, `0/1 done, 1 waiting to retry (a\x1b[2J\nb)`},
	}
	for _, test := range tests {
		if got := progressLine(test.progress); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestDisplayElsewhereThanOnATerminalIsPlainLines(t *testing.T) {
	var out bytes.Buffer
	d := &display{out: &out, clean: strings.ToUpper}
	d.observe(runner.Progress{Total: 2, Done: 1})
	d.draw()
	d.warn("a\x1bb")
	if got := out.String(); got != "1/2 done\napsctl: A\\x1bB\n" {
		t.Errorf("got %q", got)
	}
}
