package main

import (
	"os"
	"regexp"

	"github.com/apsctl/apsctl/plan"
)

var planNameLine = regexp.MustCompile(`(?m)^name:[ \t]*["']?([^\s"'#]+)`)

// planNameIn finds the name that a plan file says although it cannot be read as a
// plan, "" where it cannot be told: a plan that is broken is news of that plan.
func planNameIn(args []string) string {
	for _, path := range planPaths(args) {
		if name := nameInFile(path); name != "" {
			return name
		}
	}
	return ""
}

// nameInFile looks at the beginning of one regular file.
func nameInFile(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	head := make([]byte, 64<<10)
	n, _ := file.Read(head)
	if m := planNameLine.FindSubmatch(head[:n]); m != nil && plan.CheckPlanName(string(m[1])) == nil {
		return string(m[1])
	}
	return ""
}
