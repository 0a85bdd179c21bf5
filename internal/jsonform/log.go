package jsonform

import "github.com/apsctl/apsctl/plan"

// Log is one line of what a job logged on the service, as the service tells it.
type Log struct {
	Time  string `json:"time"`
	State string `json:"state"`
	Stage string `json:"stage"`
	Text  string `json:"text"`
}

// Logs returns lines in their order. It is nil, not empty, for none: those of a job
// whose logs were not asked for.
func Logs(lines []plan.ActionLog) []Log {
	var all []Log
	for _, l := range lines {
		all = append(all, Log(l))
	}
	return all
}
