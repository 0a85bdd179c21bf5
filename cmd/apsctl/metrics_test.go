package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// readMetrics reads a metrics file with Prometheus's own parser and linter, and
// returns its values by name and labels but the plan's.
func (b *bench) readMetrics(name string) (families map[string]*dto.MetricFamily, values map[string]float64) {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if families, err = parser.TextToMetricFamilies(bytes.NewReader(text)); err != nil {
		b.Fatalf("%v in %s", err, text)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range problems {
		b.Errorf("%s: %s", p.Metric, p.Text)
	}
	values = map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			key := name
			for _, label := range m.Label {
				if label.GetName() == "plan" {
					if label.GetValue() != "bulk" {
						b.Errorf("%s is of plan %q", name, label.GetValue())
					}
					continue
				}
				key += fmt.Sprintf(" %s=%s", label.GetName(), label.GetValue())
			}
			values[key] = m.GetGauge().GetValue()
		}
	}
	return families, values
}

func TestMetricsPassPrometheusOwnParser(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "1ms")
	b.write("plan.yaml", planOf(4))
	// The run ends with the first look for the lost answer, and not by a time that a slow
	// machine may need to get that far.
	cloud.setFaults("[{operation: CreateAPSJob, kind: throttle, count: 2}, {operation: CreateAPSJob, kind: drop, when: after, skip: 3}, {operation: DescribeApsJobs, kind: status, status: 404, code: InvalidAction.NotFound, skip: 1}]")
	r := b.want(exitUnknown, "apply", "--yes", "--parallel", "1", "--metrics", "apsctl.prom", "plan.yaml")
	families, v := b.readMetrics("apsctl.prom")
	for name, want := range map[string]float64{
		"apsctl_last_run_exit_code": 4, "apsctl_last_run_outcome outcome=unknown": 1, "apsctl_last_run_outcome outcome=done": 0,
		"apsctl_last_run_create_requests": 6, "apsctl_last_run_create_retries": 2, "apsctl_last_run_create_throttled": 2,
		"apsctl_last_run_jobs ending=created": 3, "apsctl_last_run_jobs ending=unknown": 1,
		"apsctl_jobs state=created": 3, "apsctl_jobs state=unknown": 1, "apsctl_jobs state=lost": 0,
		"apsctl_last_run_calls operation=CreateAPSJob": 6, "apsctl_last_run_throttled_calls operation=CreateAPSJob": 2,
	} {
		if got, ok := v[name]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
	if at := v["apsctl_unknown_oldest_timestamp_seconds"]; at < v["apsctl_last_run_start_timestamp_seconds"]-1 || at > v["apsctl_last_run_end_timestamp_seconds"] {
		t.Errorf("the unknown is of %v: %s", at, r)
	}
	if families["apsctl_last_done_timestamp_seconds"] != nil {
		t.Error("no run was done so far")
	}
	info, err := os.Stat(filepath.Join(b.dir, "apsctl.prom"))
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	drafts, _ := filepath.Glob(filepath.Join(b.dir, ".apsctl.prom*"))
	if len(drafts) > 0 {
		t.Errorf("%q is left", drafts)
	}

	cloud.setFaults("")
	b.write("plan.yaml", planOf(5))
	b.want(exitDone, "apply", "--yes", "--metrics", "apsctl.prom", "plan.yaml")
	families, v = b.readMetrics("apsctl.prom")
	if v["apsctl_jobs state=created"] != 5 || families["apsctl_unknown_oldest_timestamp_seconds"] != nil || v["apsctl_last_done_timestamp_seconds"] == 0 || families["apsctl_job_delay_max"] == nil {
		t.Errorf("got %v", v)
	}
	// Trouble before anything was asked is on the page as well.
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	b.write("plan.yaml", planOf(6))
	b.want(exitDenied, "apply", "--yes", "--metrics", "apsctl.prom", "plan.yaml")
	if _, v = b.readMetrics("apsctl.prom"); v["apsctl_last_run_outcome outcome=denied"] != 1 || v["apsctl_jobs state=created"] != 5 {
		t.Errorf("got %v", v)
	}
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "emulator")
	if r := b.want(exitDone, "apply", "--yes", "--metrics", "none/apsctl.prom", "plan.yaml"); !strings.Contains(r.stderr, "metrics were not written") {
		t.Errorf("got %s", r)
	}
}

// TestAlertRulesNameMetricsThatExist holds the example of alerting rules and the
// page about metrics against what is written.
func TestAlertRulesNameMetricsThatExist(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", planOf(1))
	b.want(exitDone, "apply", "--yes", "--metrics", "apsctl.prom", "plan.yaml")
	families, _ := b.readMetrics("apsctl.prom")
	known := []string{"apsctl_unknown_oldest_timestamp_seconds", "apsctl_job_delay_max"} // nothing is unknown or listed here
	for name := range families {
		known = append(known, name)
	}
	rules, err := os.ReadFile("../../examples/ops/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(rules, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`apsctl_[a-z_]+`)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			used := name.FindAllString(rule.Expr, -1)
			if rule.Alert == "" || rule.Annotations["summary"] == "" || len(used) == 0 {
				t.Errorf("the rule %q is not complete", rule.Alert)
			}
			for _, metric := range used {
				if !slices.Contains(known, metric) {
					t.Errorf("%s: there is no metric %s", rule.Alert, metric)
				}
			}
		}
	}
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range known {
		if !strings.Contains(string(page), "`"+metric+"`") {
			t.Errorf("docs/operating.md does not name %s", metric)
		}
	}
	for _, metric := range name.FindAllString(string(page), -1) {
		if !slices.Contains(known, metric) {
			t.Errorf("docs/operating.md names %s, which does not exist", metric)
		}
	}
}
