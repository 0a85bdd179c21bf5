package main

import (
	"bufio"
	"io"

	"github.com/apsctl/apsctl/plan"
)

// Forms of plan's result beside text and json.
const (
	formatNDJSON   = "ndjson"   // one change a line
	formatMarkdown = "markdown" // for a review comment
)

type planJSON struct {
	Plan     string            `json:"plan"`
	File     string            `json:"file"`
	Digest   string            `json:"digest"`
	Summary  map[plan.Kind]int `json:"summary"`
	Warnings []string          `json:"warnings"`
	Crowded  []crowdedJSON     `json:"crowded"`
	Forecast forecastJSON      `json:"forecast"`
	Refusal  string            `json:"refusal,omitempty"` // the limit that apply stops at
	Changes  []changeJSON      `json:"changes"`
}

// crowdedJSON is a source or region, with the number of jobs that would be more
// than the service documents.
type crowdedJSON struct {
	Per   string `json:"per"` // source or region
	Name  string `json:"name"`
	Jobs  int    `json:"jobs"`
	Limit int    `json:"limit"`
}

// forecastJSON has the calls by operation, and what the time assumes.
type forecastJSON struct {
	Calls          map[string]int `json:"calls"`
	Seconds        float64        `json:"seconds"`
	Parallel       int            `json:"parallel"`
	Rate           float64        `json:"rate"` // for each operation and region, 0: no ceiling
	SecondsPerCall float64        `json:"seconds_per_call"`
}

type changeJSON struct {
	Name        string     `json:"name"`
	Action      plan.Kind  `json:"action"`
	Region      string     `json:"region"`
	Source      string     `json:"source"`
	Destination string     `json:"destination"`
	State       plan.State `json:"state"`
	JobID       string     `json:"aps_job_id"`
	Attempts    int        `json:"attempts"`
	Reason      string     `json:"reason"`
	Cause       string     `json:"cause"` // Reason in a few words without names
	// Consequence is what the change does to a job that exists.
	Consequence string      `json:"consequence,omitempty"`
	Fields      []fieldJSON `json:"fields,omitempty"`
	// Service is how the service shows a job that the ledger has; absent where it was
	// not asked.
	Service *seenJSON `json:"service,omitempty"`
}

// seenJSON says whether the complete listing shows a job, as what, and whether its
// details were compared.
type seenJSON struct {
	Listed   bool   `json:"listed"`
	Status   string `json:"status"`
	Compared bool   `json:"compared"`
}

type fieldJSON struct {
	Field  string      `json:"field"`
	Old    string      `json:"old"`
	New    string      `json:"new"`
	Effect plan.Effect `json:"effect"`
	// Differs is who stands alone, plan, service, ledger or all; empty where the
	// service was not asked. Ledger is then what the ledger has.
	Differs plan.Party `json:"differs,omitempty"`
	Ledger  *string    `json:"ledger,omitempty"`
}

func newFieldsJSON(fields []plan.FieldChange) []fieldJSON {
	var all []fieldJSON
	for _, f := range fields {
		one := fieldJSON{Field: f.Field, Old: f.Old, New: f.New, Effect: f.Effect, Differs: f.Differs}
		if f.Differs != "" {
			one.Ledger = &f.Ledger
		}
		all = append(all, one)
	}
	return all
}

// newPlanJSON has the changes of the kinds that are listed; the summary counts all.
func newPlanJSON(v plan.Preview, o plan.RenderOptions) planJSON {
	out := planJSON{
		Plan: v.Plan.Name, File: v.Plan.File, Digest: v.Plan.Digest,
		Summary: plan.Summarize(v.Changes).Kinds, Warnings: make([]string, 0, len(v.Crowds)),
		Forecast: forecastJSON{
			Calls: map[string]int{}, Seconds: v.Forecast.Time.Seconds(), Parallel: v.Forecast.Pace.Parallel,
			Rate: v.Forecast.Pace.Rate, SecondsPerCall: v.Forecast.SecondsPerCall(),
		},
		Crowded: []crowdedJSON{}, Changes: make([]changeJSON, 0, len(v.Changes)),
	}
	for _, crowds := range v.Crowds {
		out.Warnings = append(out.Warnings, crowds.String())
		for _, place := range crowds.Places {
			out.Crowded = append(out.Crowded, crowdedJSON{crowds.Per, place.Name, place.Count, crowds.Limit})
		}
	}
	if v.Refusal != nil {
		out.Refusal = v.Refusal.Error()
	}
	for _, call := range v.Forecast.Calls {
		out.Forecast.Calls[call.Name] = call.Count
	}
	for i := range v.Changes {
		if o.Kinds == nil || o.Lists(v.Changes[i].Kind) {
			out.Changes = append(out.Changes, newChangeJSON(&v.Changes[i]))
		}
	}
	return out
}

func newChangeJSON(c *plan.Change) changeJSON {
	spec := c.Spec()
	one := changeJSON{
		Name: c.Name, Action: c.Kind, Region: spec.Region,
		Source: spec.Source.Instance, Destination: spec.Destination.Instance,
		State: c.State(), Attempts: c.Attempt(), Reason: c.Reason, Cause: c.Cause,
	}
	if c.Entry != nil {
		one.JobID = c.Entry.JobID
	}
	one.Fields, one.Consequence = newFieldsJSON(c.Fields), c.Consequence()
	if c.Seen != nil {
		one.Service = &seenJSON{Listed: c.Seen.Job != nil, Compared: c.Seen.Detail != nil}
		if c.Seen.Job != nil {
			one.Service.Status = c.Seen.Job.Status
		}
	}
	return one
}

// writeChanges writes one JSON object a line and change.
func writeChanges(w io.Writer, v plan.Preview, o plan.RenderOptions) error {
	b := bufio.NewWriter(w)
	encoder := newEncoder(b)
	for i := range v.Changes {
		if o.Kinds != nil && !o.Lists(v.Changes[i].Kind) {
			continue
		}
		if err := encoder.Encode(newChangeJSON(&v.Changes[i])); err != nil {
			return err
		}
	}
	return b.Flush()
}
