package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Field is something in the ledger that people type.
type Field string

const (
	FieldPlan        Field = "plan"
	FieldName        Field = "name"
	FieldRegion      Field = "region"
	FieldSource      Field = "source"
	FieldDestination Field = "destination"
	FieldID          Field = "id"
	FieldCandidate   Field = "candidate" // ids of jobs that may be that of an entry
	FieldLabel       Field = "label"     // keys; LabelField has the values of one
	FieldRun         Field = "run"       // newest first, the others are sorted
)

// LabelField is the values of the label key.
func LabelField(key string) Field { return FieldLabel + "." + Field(key) }

// fieldQueries say where each field is found: the word, from what, in which order.
var fieldQueries = map[Field]string{
	FieldPlan:        "SELECT plan AS word, plan, name FROM entries",
	FieldName:        "SELECT name AS word, plan, name FROM entries",
	FieldRegion:      "SELECT region AS word, plan, name FROM entries",
	FieldSource:      "SELECT json_extract(spec, '$.source.instance') AS word, plan, name FROM entries",
	FieldDestination: "SELECT json_extract(spec, '$.destination.instance') AS word, plan, name FROM entries",
	FieldID:          "SELECT aps_job_id AS word, plan, name FROM entries",
	FieldCandidate:   "SELECT each.value AS word, plan, name FROM entries, json_each(candidates) AS each",
	FieldLabel:       "SELECT each.key AS word, plan, name FROM entries, json_each(labels) AS each",
	FieldRun:         "SELECT id AS word, plan, '' AS name, -seq AS place FROM runs",
}

// Near narrows suggestions; the zero Near is all of the ledger.
type Near struct{ Plan, Name string }

// Suggest returns at most limit different words of a field that begin with prefix:
// what somebody who typed prefix may have meant. Empty words are left out.
func (l *Ledger) Suggest(ctx context.Context, field Field, prefix string, near Near, limit int) (words []string, err error) {
	query, args := fieldQueries[field], []any{}
	if key, ok := strings.CutPrefix(string(field), string(LabelField(""))); ok {
		query, args = "SELECT each.value AS word, plan, name FROM entries, json_each(labels) AS each WHERE each.key = ?", []any{key}
	}
	order := "word"
	if field == FieldRun {
		order = "min(place)"
	}
	query = fmt.Sprintf(`SELECT word FROM (%s) WHERE word <> '' AND substr(word, 1, length(?)) = ? AND (? = '' OR plan = ?) AND (? = '' OR name = ?)
		GROUP BY word ORDER BY %s LIMIT ?`, query, order)
	args = append(args, prefix, prefix, near.Plan, near.Plan, near.Name, near.Name, limit)
	err = each(ctx, l.read, query, args, func(rows *sql.Rows) error {
		var word string
		err := rows.Scan(&word)
		words = append(words, word)
		return err
	})
	if err != nil {
		return nil, trouble(l.path, "read words for completion", err)
	}
	return words, nil
}
