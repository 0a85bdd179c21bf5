package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/internal/probe"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

var update = flag.Bool("update", false, "rewrite generated pages and golden files")

// errorExamples has, for each error type and value of the project by package and
// name, an error that a user may meet, with the code that it has to have.
var errorExamples = map[string]struct {
	err  error
	code errorCode
}{
	"cmd/apsctl.codedError":    {coded(codeLimit, errors.New("x")), codeLimit},
	"cmd/apsctl.usageError":    {&usageError{errors.New("x"), "apsctl"}, codeUsage},
	"cmd/apsctl.endpointError": {&endpointError{errors.New("x")}, codeEndpoint},

	"plan.Problems":      {plan.Problems{{Message: "x"}}, codePlan},
	"plan.SelectorError": {&plan.SelectorError{Missing: []string{"x"}}, codeNoSuchJob},
	"plan.LimitError":    {&plan.LimitError{}, codeLimit},
	"plan.SavedError":    {&plan.SavedError{Why: "x"}, codeSavedFile},
	"plan.CallError":     {&plan.CallError{Failure: plan.FailureOther}, codeRefused},
	"plan.ErrMovedOn":    {plan.ErrMovedOn, codeMovedOn},
	"plan.ErrTaken":      {plan.ErrTaken, codeSameID},

	"runner.LedgerError":  {&runner.LedgerError{Doing: "x", Err: errors.New("x")}, codeLedgerTrouble},
	"runner.SkewError":    {&runner.SkewError{}, codeSkew},
	"runner.RefusedError": {&runner.RefusedError{}, codeOrder},

	"internal/probe.JournalError": {&probe.JournalError{Err: &fs.PathError{Err: fs.ErrPermission}}, codeProbeJournal},
	"internal/probe.UnknownError": {&probe.UnknownError{}, codeProbeUnknown},
	"internal/probe.RefusedError": {&probe.RefusedError{Outcome: plan.Outcome{Failure: plan.FailureOther}}, codeProbeRefused},

	"internal/aps.IncompleteError": {&aps.IncompleteError{}, codeListing},
	"internal/aps.ErrDebug":        {fmt.Errorf("DEBUG=dara %w", aps.ErrDebug), codeDebug},
	"internal/emulator.ErrInUse":   {emulator.ErrInUse, codeEmulatorInUse},

	"store.SpentError":      {&store.SpentError{}, codeSavedSpent},
	"store.LockedError":     {&store.LockedError{}, codeLocked},
	"store.ForeignError":    {&store.ForeignError{}, codeLedgerForeign},
	"store.SameIDError":     {&store.SameIDError{}, codeSameID},
	"store.QueryError":      {&store.QueryError{Err: errors.New("x")}, codeQuery},
	"store.Error":           {&store.Error{Kind: fs.ErrNotExist}, codeLedgerMissing},
	"store.ErrNewer":        {&store.Error{Kind: store.ErrNewer}, codeLedgerNewer},
	"store.ErrOlder":        {&store.Error{Kind: store.ErrOlder}, codeLedgerOlder},
	"store.ErrForeign":      {&store.Error{Kind: store.ErrForeign}, codeLedgerForeign},
	"store.ErrDamaged":      {&store.Error{Kind: store.ErrDamaged}, codeLedgerDamaged},
	"store.ErrNotLedger":    {&store.Error{Kind: store.ErrNotLedger}, codeNotLedger},
	"store.ErrFileSystem":   {&store.Error{Kind: store.ErrFileSystem}, codeLedgerFileSystem},
	"store.ErrSeveralNames": {&store.Error{Kind: store.ErrSeveralNames}, codeLedgerNames},
	"store.ErrPermission":   {&store.Error{Kind: store.ErrPermission}, codeLedgerPermission},
	"store.ErrFull":         {&store.Error{Kind: store.ErrFull}, codeLedgerFull},
	"store.ErrIO":           {&store.Error{Kind: store.ErrIO}, codeLedgerIO},
	"store.ErrBusy":         {&store.Error{Kind: store.ErrBusy}, codeLedgerBusy},
	"store.ErrReplaced":     {&store.Error{Kind: store.ErrReplaced}, codeLedgerReplaced},
	"store.ErrSettings":     {&store.Error{Kind: store.ErrSettings}, codeLedgerSettings},
	"store.ErrClosed":       {&store.Error{Kind: store.ErrClosed}, codeLedgerTrouble},
	"store.ErrIllegal":      {fmt.Errorf("x: %w", store.ErrIllegal), codeDefect},
	"store.ErrNameTaken":    {store.ErrNameTaken, codeNameTaken},
	"store.ErrBackupExists": {store.ErrBackupExists, codeExists},
}

// notMet says of the other error types why no command ends with them.
var notMet = map[string]string{
	"cmd/apsctl.exitError":       "it says that all was said",
	"cmd/apsctl.skippedError":    "it is what was asked for, with exit code 0",
	"internal/aps.adviceError":   "it becomes the words of a CallError",
	"internal/aps.proxyError":    "it becomes the words of a CallError",
	"internal/aps.unsteadyError": "it becomes the words of an IncompleteError",
	"runner.failedJobError":      "it becomes the words of a Result",
	"internal/emulator.problem":  "the emulator answers it over HTTP",
}

// TestEveryErrorHasACode: a new error type or value, in whatever package, has to
// be told apart by codeOf, with an entry in errorTable.
func TestEveryErrorHasACode(t *testing.T) {
	known := map[string]bool{}
	for _, folder := range []string{"cmd/apsctl", "plan", "store", "runner", "internal/aps", "internal/emulator", "internal/secret", "internal/probe", "internal/logfile", "internal/notice", "internal/metrics"} {
		for _, name := range errorNames(t, folder) {
			name = folder + "." + name
			known[name] = true
			example, met := errorExamples[name]
			switch _, not := notMet[name]; {
			case met == not:
				t.Errorf("%s is an error: give it a code in codeOf, errorTable and errorExamples, or say in notMet why nobody meets it", name)
			case met && codeOf(fmt.Errorf("wrapped: %w", example.err)) != example.code:
				t.Errorf("%s has code %s, want %s", name, codeOf(example.err), example.code)
			}
		}
	}
	for name := range errorExamples {
		if !known[name] {
			t.Errorf("there is no error %s", name)
		}
	}
	for name := range notMet {
		if !known[name] {
			t.Errorf("there is no error %s", name)
		}
	}
}

// errorNames are the types of a package that have a method Error, and its
// exported error values.
func errorNames(t *testing.T, folder string) []string {
	var names []string
	for _, file := range parseFolder(t, folder) {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "Error" && d.Recv != nil && len(d.Type.Params.List) == 0 {
					names = append(names, receiver(d))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
						for _, name := range value.Names {
							if strings.HasPrefix(name.Name, "Err") {
								names = append(names, name.Name)
							}
						}
					}
					if typ, ok := spec.(*ast.TypeSpec); ok && embedsError(typ.Type) {
						names = append(names, typ.Name.Name)
					}
				}
			}
		}
	}
	return names
}

// embedsError reports whether a struct is an error by what it embeds.
func embedsError(typ ast.Expr) bool {
	s, ok := typ.(*ast.StructType)
	return ok && slices.ContainsFunc(s.Fields.List, func(field *ast.Field) bool {
		name, ok := field.Type.(*ast.Ident)
		return ok && len(field.Names) == 0 && name.Name == "error"
	})
}

func receiver(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	return typ.(*ast.Ident).Name
}

// parseFolder parses the Go files of a folder of the project, without tests.
func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// wrappedLater are the functions of cmd/apsctl that return an error of words
// alone, and who gives it its code.
var wrappedLater = map[string]string{
	"outputFormat.Set":    "a flag: usage",
	"age.Set":             "a flag: usage",
	"parseAge":            "a flag: usage",
	"ifLocked.Set":        "a flag: usage",
	"listenLoopback":      "emulatorCommand.run: usage",
	"stateList.Set":       "a flag: usage",
	"reportForm.Set":      "a flag: usage",
	"ordinaryOrNew":       "cannotWrite, coded, or a warning",
	"inUse.refuse":        "cannotWrite, coded, or a warning",
	"inUse.refuseBut":     "a warning",
	"replaceFile":         "cannotWrite",
	"mayWrite":            "cannotWrite",
	"mayReplace":          "cannotWrite",
	"writeDraft":          "cannotWrite",
	"readLines":           "coded at its end",
	"giveBack":            "the runner warns of it",
	"keepOwner":           "cannotWrite",
	"eventStream.writeTo": "a warning",
	"progressForm.Set":    "a flag: usage",
}

// TestErrorsOfCommandsAreCoded: an error that a command makes of words alone gets
// its code where it is made, or from a caller that wrappedLater names.
func TestErrorsOfCommandsAreCoded(t *testing.T) {
	used := map[string]bool{}
	for _, file := range parseFolder(t, "cmd/apsctl") {
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				name = receiver(f) + "." + name
			}
			words := bareError(f.Body)
			used[name] = used[name] || words != ""
			if words != "" && wrappedLater[name] == "" {
				t.Errorf("%s makes an error without a code, %s: use usagef, or coded with an entry in errorTable", name, words)
			}
		}
	}
	for name := range wrappedLater {
		if !used[name] {
			t.Errorf("%s makes no error of words alone", name)
		}
	}
}

// bareError returns the words of an error in body that wraps none and is not
// handed to a function that gives it a code.
func bareError(body ast.Node) (words string) {
	coding := []string{"coded", "usage", "usagef"}
	ast.Inspect(body, func(n ast.Node) bool {
		if literal, ok := n.(*ast.CompositeLit); ok {
			name, _ := literal.Type.(*ast.Ident)
			return name == nil || name.Name != "usageError"
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			return !slices.Contains(coding, f.Name)
		case *ast.SelectorExpr:
			from, _ := f.X.(*ast.Ident)
			if from == nil || from.Name+"."+f.Sel.Name != "errors.New" && from.Name+"."+f.Sel.Name != "fmt.Errorf" {
				return true
			}
			if text, ok := call.Args[0].(*ast.BasicLit); ok && !strings.Contains(text.Value, "%w") {
				words = text.Value
			}
		}
		return true
	})
	return words
}

func TestErrorTable(t *testing.T) {
	shape := regexp.MustCompile(`^E(-[A-Z]+)+$`)
	exits := []int{1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 130}
	seen := map[errorCode]bool{}
	for _, entry := range errorTable {
		if seen[entry.Code] || !shape.MatchString(string(entry.Code)) {
			t.Errorf("%q is there twice, or has another shape", entry.Code)
		}
		seen[entry.Code] = true
		if entry.What == "" || entry.Cause == "" || entry.Next == "" || entry.group == "" || !slices.Contains(exits, entry.Exit) {
			t.Errorf("%s is not explained, or its exit code is none", entry.Code)
		}
	}
	declared := 0
	for _, file := range parseFolder(t, "cmd/apsctl") {
		ast.Inspect(file, func(n ast.Node) bool {
			value, ok := n.(*ast.ValueSpec)
			if !ok || value.Type == nil {
				return true
			}
			if typ, ok := value.Type.(*ast.Ident); ok && typ.Name == "errorCode" {
				code, _ := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
				declared++
				if !seen[errorCode(code)] {
					t.Errorf("%s is not in errorTable", code)
				}
			}
			return true
		})
	}
	if declared != len(errorTable) {
		t.Errorf("%d codes are declared, %d are in errorTable", declared, len(errorTable))
	}
}

// TestOutcomesHaveCodes: each ending that is not well, each stop and each failure
// of a call is told.
func TestOutcomesHaveCodes(t *testing.T) {
	well := []string{"created", "adopted", "updated", "replaced", "deleted", "started", "suspended", "kept"}
	for name, value := range constants(t, "runner", "Ending") {
		if code := resultCode(runner.Result{Ending: runner.Ending(value)}); (code == "") != slices.Contains(well, value) {
			t.Errorf("%s has code %q: give it one in resultCode, or say here that it is well", name, code)
		}
	}
	for name, value := range constants(t, "runner", "Stop") {
		code := stopCode(runner.Report{Stop: runner.Stop(value)})
		if (code == "") != (value == "") || code == codeUnexpected {
			t.Errorf("%s has code %q: give it one in stopCode", name, code)
		}
	}
	codes := map[errorCode]bool{}
	for failure := plan.FailureOther; failure <= plan.FailureConfig; failure++ {
		codes[callCode(failure)] = true
	}
	if len(codes) != int(plan.FailureConfig) {
		t.Errorf("the failures of a call have %d codes, want one each", len(codes))
	}
}

// constants are the string constants of a type, by name.
func constants(t *testing.T, folder, typ string) map[string]string {
	found := map[string]string{}
	for _, file := range parseFolder(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			value, ok := n.(*ast.ValueSpec)
			if !ok || value.Type == nil || len(value.Values) == 0 {
				return true
			}
			if name, ok := value.Type.(*ast.Ident); ok && name.Name == typ {
				if literal, ok := value.Values[0].(*ast.BasicLit); ok {
					found[value.Names[0].Name], _ = strconv.Unquote(literal.Value)
				}
			}
			return true
		})
	}
	if len(found) < 3 {
		t.Fatalf("no constants of %s in %s", typ, folder)
	}
	return found
}

func TestErrorsOfFilesAndSignals(t *testing.T) {
	for _, test := range []struct {
		err  error
		want errorCode
	}{
		{fmt.Errorf("x: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), codeFile},
		{&fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: os.ErrClosed}, codeOutput},
		{errors.New("x"), codeUnexpected},
		{fmt.Errorf("x: %w: %w", &plan.CallError{Failure: plan.FailureTemporary}, context.Canceled), codeInterrupted},
		{&runner.LedgerError{Doing: "x", Err: &store.Error{Kind: store.ErrFull}}, codeLedgerFull},
	} {
		if got := codeOf(test.err); got != test.want {
			t.Errorf("%v has code %s, want %s", test.err, got, test.want)
		}
	}
}

// TestErrorsPage: docs/errors.md is errorTable.
func TestErrorsPage(t *testing.T) {
	const path = "../../docs/errors.md"
	page := errorsPage()
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("docs/errors.md is not current; go test ./cmd/apsctl -run TestErrorsPage -update writes it:\n%s", diff)
	}
}

func errorsPage() string {
	var b strings.Builder
	b.WriteString(errorsPageHead)
	var group errorGroup
	for _, entry := range errorTable {
		if entry.group != group {
			group = entry.group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\nExit code %d: %s.\n\n- Why: %s\n- Next: %s\n", entry.Code, entry.Exit, entry.What, entry.Cause, entry.Next)
	}
	return b.String()
}

const errorsPageHead = `# Errors

<!-- made by: go test ./cmd/apsctl -run TestErrorsPage -update -->

Whatever apsctl says on standard error of something that went wrong ends with its code in brackets, and so does each cause in
the report of ` + "`apply`" + `; ` + "`-o json`" + ` has it as ` + "`code`" + ` of a job or problem and ` + "`stop_code`" + ` of a run. Codes are added and never change,
so that scripts and runbooks can name them. ` + "`apsctl explain CODE`" + ` prints what stands here, and ` + "`apsctl explain 13`" + ` all codes
with exit code 13.

Two exit codes are not errors: 2 (changes exist, where that was asked for, or drift) and the 1 of ` + "`fmt --check`" + `.
`

func TestExplain(t *testing.T) {
	b := newBench(t)
	r := b.want(exitInvalid, "ledger", "list", "--nosuch")
	code := regexp.MustCompile(`\[(E-[A-Z-]+)\]`).FindStringSubmatch(r.stderr)
	if code == nil || code[1] != string(codeUsage) {
		t.Fatalf("the error has no code: %s", r)
	}
	if r := b.want(exitDone, "explain", strings.ToLower(code[0])); !strings.HasPrefix(r.stdout, "E-USAGE (exit code 10)") || strings.Count(r.stdout, "Next:") != 1 {
		t.Error(r)
	}
	if r := b.want(exitDone, "explain", "13", "-o", "json"); !strings.Contains(r.stdout, `"E-LEDGER-DAMAGED"`) || strings.Contains(r.stdout, "E-USAGE") {
		t.Error(r)
	}
	if r := b.want(exitDone, "explain"); strings.Count(r.stdout, "\nE-") != len(errorTable) {
		t.Error(r)
	}
	b.want(exitInvalid, "explain", "E-NOSUCH")
	wantIn(t, b.want(exitInvalid, "explain", "2").stderr, "is no error")
}
