package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	logWindowMax       = 30 * 24 * time.Hour
	logPageSizeDefault = "30"
)

// logLine is one line of a job's log. The form of Time is not documented.
type logLine struct {
	Time, State, Stage, Context string

	at time.Time
}

// describeLogs is DescribeApsActionLogs. The answer has neither Success nor Code,
// and its page fields are strings. Lines come in the order of listings.
func describeLogs(s *Server, c *call) (fields, *problem) {
	start, end := minuteMs(c.params["StartTime"]), minuteMs(c.params["EndTime"])
	if end <= start || end-start > logWindowMax.Milliseconds() {
		return nil, invalid("EndTime", "The specified EndTime is not valid: want one after StartTime, by at most 30 days.")
	}
	id, cluster := c.params["WorkloadId"], c.params["DBClusterId"]
	j := s.state.job(c.place, id)
	switch {
	case j == nil:
		return nil, unknownJob(id)
	case j.Destination != cluster:
		return nil, refuse(http.StatusBadRequest, "InvalidDBClusterId.NotFound", "The DBClusterId %s is not that of the workload.", clip(cluster))
	}
	lines := slices.DeleteFunc(j.logAt(c.now, s.life()), func(l logLine) bool {
		return l.at.UnixMilli() < start || l.at.UnixMilli() >= end || !l.passes(c.params)
	})
	if s.opts.ListOrder == OrderNewest {
		slices.Reverse(lines)
	}
	number, _ := count(cmp.Or(c.params["PageNumber"], "1"))
	size, _ := count(cmp.Or(c.params["PageSize"], logPageSizeDefault))
	from := min((number-1)*size, len(lines))
	return fields{
		"ActionLogs": append([]logLine{}, lines[from:min(from+size, len(lines))]...), "DBClusterId": cluster, "WorkloadId": id,
		"PageNumber": strconv.Itoa(number), "PageSize": strconv.Itoa(size), "TotalCount": strconv.Itoa(len(lines)),
	}, nil
}

// passes tells whether the filters let the line through.
func (l logLine) passes(params map[string]string) bool {
	states, stage := params["State"], params["Stage"]
	return strings.Contains(l.Context, params["Keyword"]) && (stage == "" || l.Stage == stage) &&
		(states == "" || slices.Contains(strings.Split(states, ","), l.State))
}

// logAt is what the job has logged so far, oldest first. The words are plausible,
// not documented.
func (j *job) logAt(now time.Time, l life) []logLine {
	var lines []logLine
	add := func(ms int64, state, stage, context string) {
		if at := time.UnixMilli(ms); ms != 0 && !at.After(now) {
			lines = append(lines, logLine{at.UTC().Format("2006-01-02T15:04:05Z"), state, stage, context, at})
		}
	}
	add(j.CreatedMs, "INFO", "StructureMigrate", "The job was created.")
	add(j.ResumedMs, "INFO", "FullDataSync", "The job was started.")
	if j.failed(now, l) {
		add(j.ResumedMs+max(0, l.initializing.Milliseconds()-j.ActiveMs), "ERROR", "FullDataSync", failedMessage)
	}
	add(j.SuspendedMs, "WARN", "IncrementalSync", "The job was suspended.")
	return lines
}

func checkStage(name, value string) *problem {
	return checkWords(name, []string{value}, "StructureMigrate", "FullDataSync", "IncrementalSync")
}

func checkLogStates(name, value string) *problem {
	return checkWords(name, strings.Split(value, ","), "INFO", "WARN", "ERROR")
}

func checkLogPageSize(name, value string) *problem {
	return checkWords(name, []string{value}, "30", "50", "100")
}

func checkWords(name string, values []string, allowed ...string) *problem {
	for _, value := range values {
		if !slices.Contains(allowed, value) {
			return invalid(name, "The specified %s is not valid: want %s.", name, strings.Join(allowed, ", "))
		}
	}
	return nil
}
