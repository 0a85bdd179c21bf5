package aps

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestActionLogsComeInPages: all pages, up to a bound, in order of time.
func TestActionLogsComeInPages(t *testing.T) {
	pages := 0
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		pages++
		if q := r.URL.Query(); q.Get("PageNumber") != strconv.Itoa(pages) || q.Get("State") != "WARN,ERROR" || r.ContentLength > 0 {
			t.Errorf("page %d: asked for %v, with %d bytes", pages, q, r.ContentLength)
		}
		var lines []string
		for n := range 100 {
			lines = append(lines, fmt.Sprintf(`{"Time":"2026-01-%02dT00:00:00Z %02d","State":"ERROR","Stage":"FullDataSync","Context":"x"}`, 9-pages, n))
		}
		answer(200, `{"RequestId":"r","TotalCount":"100000","ActionLogs":[`+strings.Join(lines, ",")+`]}`)(w, r)
	})
	logs, err := client.ActionLogs(t.Context(), "cn-hangzhou", "amv-1", "aps-1", time.Now())
	if err != nil || pages != logPagesMax || len(logs) != 100*logPagesMax || !strings.HasPrefix(logs[0].Time, "2026-01-06") {
		t.Errorf("%d pages, %d lines, %v", pages, len(logs), err)
	}
}
