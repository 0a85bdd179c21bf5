// Package jsonform has the parts that the JSON results of several commands share.
// Their fields are an interface: they are added, never renamed.
package jsonform

import "time"

// Time is t in UTC; nil, which JSON leaves out or has as null, for a zero t.
func Time(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// Ledger says which ledger a result is from. Service is "" while the ledger belongs
// to none.
type Ledger struct {
	Path      string    `json:"path"`
	Lineage   string    `json:"lineage"`
	Serial    int64     `json:"serial"`
	Schema    int       `json:"schema"`
	Service   string    `json:"service"`
	CreatedAt time.Time `json:"created_at"`
}
