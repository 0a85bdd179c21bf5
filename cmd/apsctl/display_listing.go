package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/human"
)

// scanned takes in how far a listing is. A region of many jobs has many pages, and
// nothing can be created before the last: until then, this is all there is to see.
func (d *display) scanned(s aps.Scan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.Page == 0 {
		delete(d.scans, s.Region)
		return
	}
	if d.scans == nil {
		d.scans = map[string]aps.Scan{}
	}
	d.scans[s.Region] = s
}

// underWay are the listings that are being taken, by region.
func (d *display) underWay() []aps.Scan {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []aps.Scan
	for _, region := range slices.Sorted(maps.Keys(d.scans)) {
		all = append(all, d.scans[region])
	}
	return all
}

// listing is the view of these; nil where there is none.
func (d *display) listing() layout {
	scans := d.underWay()
	if len(scans) == 0 {
		return nil
	}
	return func(_, height int) []viewLine {
		var lines []viewLine
		for _, s := range scans[:min(len(scans), height)] {
			lines = append(lines, plainLine(scanLine(s)))
		}
		return lines
	}
}

// drawScans tells of them in a line each.
func (d *display) drawScans() {
	for _, s := range d.underWay() {
		if d.stream != nil {
			d.stream.listing(s)
		} else {
			fmt.Fprintln(d.out, scanLine(s))
		}
	}
}

func scanLine(s aps.Scan) string {
	line := fmt.Sprintf("listing %s, page %d", s.Region, s.Page)
	if s.Total > 0 {
		line += fmt.Sprintf(": %d of %s so far", s.Jobs, human.Jobs(s.Total))
	}
	return line
}
