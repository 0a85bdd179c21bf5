package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
)

const (
	planDefault      = "apsctl.yaml"
	ledgerDefault    = ".apsctl/ledger.db"
	emulatorFolder   = ".apsctl/emulator"
	ledgerVariable   = "APSCTL_LEDGER"
	endpointVariable = "APSCTL_ENDPOINT"
)

// app is what every command shares: the streams, who is at the other end of
// them, and the secrets that must not leave by them.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// Whether a person reads stdout, watches stderr, and can answer on stdin.
	stdoutTerminal, stderrTerminal, stdinTerminal bool

	// screen is stderr where views are painted on it; nil elsewhere.
	screen *screen

	redactor *secret.Redactor
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{
		stdin: stdin, stdout: stdout, stderr: stderr,
		stdoutTerminal: isTerminal(stdout), stderrTerminal: isTerminal(stderr), stdinTerminal: isTerminal(stdin),
		redactor: secret.NewRedactor(),
	}
	if a.stderrTerminal {
		if a.screen = newScreen(stderr); a.screen != nil {
			a.stderr = a.screen // from here on, all that is said stands above the view
		}
	}
	setColours(a.stdoutTerminal)
	return a
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// warn prints one line about trouble that decides nothing.
func (a *app) warn(line string) {
	fmt.Fprintf(a.stderr, "apsctl: %s\n", printable.Line(a.redactor.Clean(line)))
}

// target says which ledger and which service a command works on.
type target struct {
	ledger   string
	endpoint string
	sts      string
	kms      string
	profile  string
	emulator bool
	ifLocked ifLocked
}

// addLedgerFlags adds the flags of commands that read the ledger.
func (t *target) addLedgerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&t.ledger, "ledger", "", "ledger `file` (default $"+ledgerVariable+", else "+ledgerDefault+")")
	flags.BoolVar(&t.emulator, "emulator", false, "work on a local emulated service, with ledger and jobs under "+emulatorFolder+"; touches nothing real")
}

// addServiceFlags adds the flags of commands that ask the service.
func (t *target) addServiceFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&t.endpoint, "endpoint", "", "`URL` of the service (default $"+endpointVariable+", else the public endpoint of each region)")
	flags.StringVar(&t.sts, "sts-endpoint", "", "`URL` of STS (default the endpoint where that is loopback, else https://sts.aliyuncs.com)")
	flags.StringVar(&t.kms, "kms-endpoint", "", "`URL` of KMS, for passwords that it keeps (default the endpoint where that is loopback, else that of each region)")
	flags.StringVar(&t.profile, "profile", "", "`name` of the credentials profile (default: the official credential chain)")
}

// ledgerPath is where the ledger is: flag, environment, default, in this order.
// With --emulator only the flag moves it, so that a trial never touches the
// ledger of the real service.
func (t *target) ledgerPath() string {
	switch {
	case t.ledger != "":
		return t.ledger
	case t.emulator:
		return filepath.Join(emulatorFolder, "ledger.db")
	case os.Getenv(ledgerVariable) != "":
		return os.Getenv(ledgerVariable)
	}
	return ledgerDefault
}

func (t *target) endpointURL() string {
	if t.endpoint != "" {
		return t.endpoint
	}
	return os.Getenv(endpointVariable)
}
