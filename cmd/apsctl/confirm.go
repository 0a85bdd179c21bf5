package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// checkAsking refuses a command that would have to ask before it changes anything
// where nobody can be asked.
func (a *app) checkAsking(cmd *cobra.Command, output outputFormat) error {
	if a.stdinTerminal && a.stderrTerminal && !output.json() {
		return nil
	}
	return usagef(cmd, "%s asks before it changes anything and there is no terminal to ask on: add --yes", cmd.Name())
}

// confirm asks whether to go on with what was shown. stop ends the wait for an
// answer.
func (a *app) confirm(stop <-chan struct{}) error {
	fmt.Fprint(a.stderr, "\nCarry this out? Only yes does: ")
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		lines <- line
	}()
	select {
	case line := <-lines:
		if strings.TrimSpace(line) != "yes" {
			return coded(codeNotConfirmed, errors.New("not confirmed: nothing was changed"))
		}
		return nil
	case <-stop:
		return context.Canceled
	}
}
