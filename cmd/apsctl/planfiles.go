package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

// planFiles are the flags of commands that read a plan.
type planFiles struct {
	vars     []string
	varFiles []string
	// quiet leaves warnings to validate: they are there at every run.
	quiet bool
	// tell takes the place of stderr for warnings, one line each; nil does not.
	tell func(string)
	// Of validate: manyWarnings shows them as far as mistakes are shown, and
	// everyWarning keeps all of them for the result.
	manyWarnings, everyWarning bool
	// inputs, if it is not nil, takes down what is read.
	inputs *plan.Inputs
}

// planUsage explains the FILE arguments of those commands.
const planUsage = `FILE is a plan file, a folder of them or a pattern; several form one plan and
say the same name. - is standard input, whose relative paths start at the current
folder. Without any, it is apsctl.yaml in the current folder.`

func (p *planFiles) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&p.vars, "var", nil, "set a variable of the plan, `NAME=VALUE`; wins over files, the environment and defaults")
	flags.StringArrayVar(&p.varFiles, "var-file", nil, "YAML `file` with values of variables; a later one wins")
}

// options are what plan.Load needs of the flags.
func (p *planFiles) options(cmd *cobra.Command) (plan.Options, error) {
	o := plan.Options{VarFiles: p.varFiles, Vars: map[string]string{}, AllWarnings: p.everyWarning}
	for _, pair := range p.vars {
		name, value, ok := strings.Cut(pair, "=")
		if _, twice := o.Vars[name]; !ok || name == "" || twice {
			return o, usagef(cmd, "--var is NAME=VALUE, each name once, not %q", pair)
		}
		o.Vars[name] = value
	}
	return o, nil
}

// load reads the plan and shows its warnings, if any, on stderr.
func (p *planFiles) load(a *app, cmd *cobra.Command, args []string) (*plan.Plan, error) {
	o, err := p.options(cmd)
	if err != nil {
		return nil, err
	}
	o.Inputs = p.inputs
	return p.loadWith(a, cmd, args, o)
}

// loadWith is load with options that say more than the flags.
func (p *planFiles) loadWith(a *app, cmd *cobra.Command, args []string, o plan.Options) (*plan.Plan, error) {
	wanted, err := readPlan(a, args, o)
	if err == nil {
		p.showWarnings(a, cmd, args, wanted)
	}
	return wanted, err
}

func readPlan(a *app, args []string, o plan.Options) (*plan.Plan, error) {
	if len(args) == 0 {
		if _, err := os.Stat(planDefault); errors.Is(err, fs.ErrNotExist) {
			return nil, plan.Problems{{
				Pos: plan.Position{File: planDefault}, Message: "the file does not exist, and no other was named",
				Hint: "name the plan file, or let apsctl init write one to start from",
			}}
		}
	}
	args = planPaths(args)
	o.Stdin = a.stdin
	return plan.Load(args, o)
}

// planPaths are the plan files that arguments name.
func planPaths(args []string) []string {
	if len(args) == 0 {
		return []string{planDefault}
	}
	return args
}

// showWarnings shows the warnings about a plan, if any, on stderr or by p.tell.
func (p *planFiles) showWarnings(a *app, cmd *cobra.Command, args []string, wanted *plan.Plan) {
	switch {
	case p.quiet:
	case p.tell != nil:
		p.tellWarnings(wanted, validateLine(cmd, args))
	default:
		fmt.Fprint(a.stderr, p.warnings(wanted, validateLine(cmd, args)))
	}
}
