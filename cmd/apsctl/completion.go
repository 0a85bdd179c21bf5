package main

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// Completion must never be in the way of typing: it reads the ledger only, stops
// after a moment, offers a screen of words at most, and says nothing of trouble.
const (
	completionMax  = 100
	completionTime = 500 * time.Millisecond
)

type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// argumentCompletions says what completes the arguments of a command, by its path below
// apsctl. Those that are missing take files, or nothing.
var argumentCompletions = map[string]completer{
	"status": selectorWords, "wait": selectorWords, "start": selectorWords, "suspend": selectorWords, "delete": selectorWords,
	"ledger show": firstOf(jobWords), "ledger events": firstOf(jobWords), "ledger forget": firstOf(jobWords), "ledger mv": firstOf(jobWords),
	"ledger list": firstOf(planWords), "report": planWords, "runs": firstOf(runWords),
}

// flagCompletions says the same of flags, by name; with the command's path before it
// where the name means something else there.
var flagCompletions = map[string]completer{
	"target": selectorWords, "exclude": selectorWords, "plan": planWords, "diff": runWords,
	"resolve --adopt": adoptWords, "absent": jobWords, "forget": jobWords, "show-expanded": jobWords,
	"ledger list --state": fixed(stateWords()...),
	"on-unknown":          fixed(string(plan.Recreate), string(plan.Hold)),
	"allow":               fixed(allowReplace, allowDelete, allowSuspend),
	"wait":                fixed("running", "created"),
	"policy":              fixed("apply", "read"),
	"quota-hint":          fixed("none", "retry-after", "ratelimit"),
	"quota-status":        fixed("400", "429", "503"),
	"page-cap-mode":       fixed("lower", "refuse"),
	"list-order":          fixed("newest", "oldest", "id"),
	"name-filter":         fixed("exact", "prefix", "contains"),
	"duplicate-names":     fixed("allow", "refuse"),
	"omitted-partitions":  fixed("clear", "keep"),
	"detail-form":         fixed("object", "string"),
	"detail-keys":         fixed("reversed", "as-sent"),
	"detail-mode":         fixed("number", "string"),
	"unknown-detail":      fixed("error", "empty"),
	"business-errors":     fixed("http400", "http200"),
}

// addCompletions gives cmd and all below it what completes their arguments and
// flags. A flag that takes neither a word known here nor a file is completed with
// nothing, rather than with the files at hand.
func addCompletions(cmd *cobra.Command) {
	path := strings.TrimPrefix(cmd.CommandPath(), "apsctl ")
	if words, ok := argumentCompletions[path]; ok {
		cmd.ValidArgsFunction = words
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		words, ok := flagCompletions[path+" --"+f.Name]
		if !ok && f.Value.Type() != "bool" {
			words, ok = flagCompletions[f.Name]
		}
		if kind, _ := pflag.UnquoteUsage(f); !ok && !strings.EqualFold(kind, "file") && !strings.EqualFold(kind, "folder") {
			words = cobra.NoFileCompletions
		}
		if words == nil {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, words) // an error means that the command has its own
	})
	for _, child := range cmd.Commands() {
		addCompletions(child)
	}
}

func fixed(words ...string) completer {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

func stateWords() []string {
	var words []string
	for _, state := range plan.States {
		words = append(words, string(state))
	}
	return words
}

// firstOf completes the first argument only.
func firstOf(words completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(cmd, args, typed)
	}
}

func jobWords(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return suggest(cmd, store.FieldName, typed, ""), cobra.ShellCompDirectiveNoFileComp
}

func planWords(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return suggest(cmd, store.FieldPlan, typed, ""), cobra.ShellCompDirectiveNoFileComp
}

// runWords are the ids of runs, newest first, and the word for the newest.
func runWords(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	words := suggest(cmd, store.FieldRun, typed, "")
	if strings.HasPrefix("last", typed) {
		words = append(words, "last")
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// adoptWords complete NAME=APSID: the name, then the ids that are in question for it.
func adoptWords(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	name, id, named := strings.Cut(typed, "=")
	if named {
		return prefixed(name+"=", suggest(cmd, store.FieldCandidate, id, name)), cobra.ShellCompDirectiveNoFileComp
	}
	words := suggest(cmd, store.FieldName, typed, "")
	for i := range words {
		words[i] += "="
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// selectorWords complete the part of a selector after its last comma: a name, a
// key with its =, or the value of a key.
func selectorWords(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before, part := typed[:strings.LastIndex(typed, ",")+1], typed[strings.LastIndex(typed, ",")+1:]
	if key, value, ok := strings.Cut(part, "="); ok {
		words := valueWords(cmd, strings.TrimSuffix(key, "!"), value)
		return prefixed(before+key+"=", words), cobra.ShellCompDirectiveNoFileComp
	}
	names := suggest(cmd, store.FieldName, part, "")
	var keys []string
	for _, key := range append(plan.SelectorKeys(), suggest(cmd, store.FieldLabel, part, "")...) {
		if strings.HasPrefix(key, part) {
			keys = append(keys, key+"=")
		}
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(names) == 0 {
		directive |= cobra.ShellCompDirectiveNoSpace // a value follows
	}
	return prefixed(before, append(names, keys...)), directive
}

func valueWords(cmd *cobra.Command, key, typed string) []string {
	if key == "state" {
		return slices.DeleteFunc(plan.SelectorStates(), func(word string) bool { return !strings.HasPrefix(word, typed) })
	}
	field := store.Field(key)
	switch field {
	case store.FieldPlan, store.FieldName, store.FieldRegion, store.FieldSource, store.FieldDestination, store.FieldID:
	default:
		field = store.LabelField(strings.TrimPrefix(key, "label."))
	}
	return suggest(cmd, field, typed, "")
}

func prefixed(prefix string, words []string) []string {
	for i := range words {
		words[i] = prefix + words[i]
	}
	return words
}

// suggest asks the ledger that the command line names, for the plan that it names.
// Trouble of any kind is no words.
func suggest(cmd *cobra.Command, field store.Field, typed, job string) []string {
	value := func(flag string) string {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Value.Type() == "string" {
			return f.Value.String()
		}
		return ""
	}
	emulated, _ := cmd.Flags().GetBool("emulator")
	t := target{ledger: value("ledger"), emulator: emulated}
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	ledger, err := store.OpenReadOnly(ctx, t.ledgerPath())
	if err != nil {
		return nil
	}
	defer ledger.Close()
	near := store.Near{Name: job}
	if field != store.FieldPlan {
		near.Plan = value("plan")
	}
	found, err := ledger.Suggest(ctx, field, typed, near, completionMax)
	if err != nil {
		return nil
	}
	var words []string
	for _, word := range found {
		if typeable(word) {
			words = append(words, word)
		}
	}
	return words
}

// typeable says whether a shell takes word as it stands. What a ledger has comes
// from plans and from the service, and shells put it on the command line unquoted.
func typeable(word string) bool {
	return !strings.HasPrefix(word, "-") && !strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./:@%+", r)
	})
}
