package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/runner"
)

// TestListingUnderWayIsShown: on a terminal, as plain lines and as events, until it
// is over or something else is to be seen.
func TestListingUnderWayIsShown(t *testing.T) {
	var out, live bytes.Buffer
	d := &display{out: &out}
	d.draw()
	d.scanned(aps.Scan{Region: "cn-shanghai", Page: 1})
	d.scanned(aps.Scan{Region: "cn-hangzhou", Page: 12, Jobs: 1100, Total: 100000})
	d.draw()
	want := "listing cn-hangzhou, page 12: 1100 of 100,000 jobs so far\nlisting cn-shanghai, page 1\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
	if lines := d.listing()(80, 1); len(lines) != 1 || lines[0].render(80, false) != strings.Split(want, "\n")[0] {
		t.Errorf("the view is %v", lines)
	}
	d.stream = &eventStream{clean: strings.Clone, live: &live}
	d.draw()
	if text := live.String(); !strings.Contains(text, `"event":"listing"`) || !strings.Contains(text, `"region":"cn-hangzhou","jobs":1100,"page":12,"total":100000`) {
		t.Errorf("got %s", text)
	}
	out.Reset()
	d.stream = nil
	for _, region := range []string{"cn-hangzhou", "cn-shanghai"} {
		d.scanned(aps.Scan{Region: region})
	}
	if d.draw(); out.Len() > 0 || d.listing() != nil {
		t.Errorf("it is over, and it says %q", out.String())
	}
	d.scanned(aps.Scan{Region: "cn-hangzhou", Page: 1})
	d.observe(runner.Progress{Total: 2, Done: 1})
	if d.draw(); !strings.HasPrefix(out.String(), "1/2 done") || strings.Contains(out.String(), "listing") {
		t.Errorf("in a run: %q", out.String())
	}
}
