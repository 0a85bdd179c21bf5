package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
)

// History returns what happened to a job, oldest first, also under the names
// that it had before it was renamed. It is empty for a job that the ledger never
// knew; one that was forgotten has its history still.
func (l *Ledger) History(ctx context.Context, planName, name string) ([]Event, error) {
	var all []Event
	before := int64(0) // 0: to the end
	for seen := map[string]bool{}; name != "" && !seen[name]; {
		seen[name] = true
		events, err := l.Events(ctx, planName, name)
		if err != nil {
			return nil, err
		}
		if before > 0 {
			events = slices.DeleteFunc(events, func(e Event) bool { return e.ID >= before })
		}
		all = append(all, events...)
		name = ""
		for _, e := range slices.Backward(events) {
			if name = renamedFrom(e); name != "" {
				before = e.ID
				break
			}
		}
	}
	slices.SortFunc(all, func(a, b Event) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func renamedFrom(e Event) string {
	if e.Evidence == "" {
		return ""
	}
	var proof PersonEvidence
	if json.Unmarshal([]byte(e.Evidence), &proof) != nil {
		return "" // evidence of another shape
	}
	return proof.RenamedFrom
}

// distinctPlans leaps from each plan to the next: SELECT DISTINCT looks at each entry.
const distinctPlans = `WITH RECURSIVE plans(plan) AS (
	SELECT min(plan) FROM entries
	UNION ALL SELECT (SELECT min(plan) FROM entries WHERE plan > plans.plan) FROM plans WHERE plan IS NOT NULL
) SELECT plan FROM plans WHERE plan IS NOT NULL`

// Plans returns the names of the plans that have entries, sorted.
func (l *Ledger) Plans(ctx context.Context) (plans []string, err error) {
	err = each(ctx, l.read, distinctPlans, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		plans = append(plans, name)
		return err
	})
	return plans, trouble(l.path, "read its plans", err)
}
