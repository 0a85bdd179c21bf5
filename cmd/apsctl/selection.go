package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

// selectorUsage explains selectors wherever jobs are chosen.
const selectorUsage = `SELECTOR is a job's name, a pattern of names such as 'orders-*', KEY=PATTERN or
KEY!=PATTERN, or several of these joined by commas that must all fit. KEY is
state, source, destination, region, plan, name, id or a label's key.`

// selection are the flags that narrow a command to some jobs of a plan.
type selection struct {
	target, exclude []string
	file            string
}

func (s *selection) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&s.target, "target", nil, "only the jobs that this `selector` fits, such as orders-07, 'orders-*' or team=a,state!=created; may be repeated")
	flags.StringArrayVar(&s.exclude, "exclude", nil, "not the jobs that this `selector` fits; may be repeated")
	flags.StringVar(&s.file, "target-file", "", "only the jobs that the selectors in this `file` fit, one a line; # starts a comment")
}

// choice reads the flags, and the file, whose selectors are in target from then on.
func (s *selection) choice(cmd *cobra.Command) (plan.Choice, error) {
	targets := slices.Clone(s.target)
	if s.file != "" {
		lines, err := readLines(s.file)
		if err != nil {
			return plan.Choice{}, fmt.Errorf("--target-file: %w", err)
		}
		targets = append(targets, lines...)
		s.target, s.file = targets, ""
	}
	var c plan.Choice
	var err error
	if c.Target, err = plan.ParseSelectors(targets); err != nil {
		return c, usagef(cmd, "--target: %w", err)
	}
	if c.Exclude, err = plan.ParseSelectors(s.exclude); err != nil {
		return c, usagef(cmd, "--exclude: %w", err)
	}
	return c, nil
}

// linesMax bounds a file of names or ids.
const linesMax = 64 << 20

// readLines reads a file of one name, selector or id a line, without comments. A
// file that has none is an error: that nothing is chosen is never what was meant.
func readLines(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > linesMax) {
		err = fmt.Errorf("%s is no file of at most %d MiB", path, linesMax>>20)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, coded(codeChoiceFile, err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, coded(codeChoiceFile, fmt.Errorf("%s has nothing in it: write one a line", path))
	}
	return lines, nil
}
