package plan

import (
	"strings"
	"testing"
)

// TestSmallFilesThatAskForMuch lowers what may be made, and has files that make
// more of each kind.
func TestSmallFilesThatAskForMuch(t *testing.T) {
	values, labels, text, kept := valuesMax, labelsMax, textMax, keptTextMax
	valuesMax, labelsMax, textMax, keptTextMax = 1000, 100, 1<<20, 1<<20
	defer func() { valuesMax, labelsMax, textMax, keptTextMax = values, labels, text, kept }()
	long := "vars: {x: " + strings.Repeat("a", 100_000) + "}\n"
	const rows = "generate:\n- range: {from: 1, to: 300}\n  job: {name: \"a${item}\", source: {instance: \"pc-${item}\""
	for want, file := range map[string]string{
		"plan.yaml:7:8: the templates of the plan make more than 1000 keys and values": rows + ", password: {command: [" + strings.Repeat("x, ", 50) + "\"${item}\"]}}}\n",
		"plan.yaml:7:8: the jobs of the plan have more than 100 labels together":       rows + "}, labels: {b: c, d: e, f: g}}\n",
		"references make more than 1 MiB of text of this plan":                         long + rows + ", user: \"${var.x}${var.x}\"}}\n",
		"plan.yaml:6:173: references make more than 1 MiB of text of this plan":        long + "jobs: [{name: a, source: {instance: pc-1}, ignore: [" + strings.Repeat("\"${var.x}\", ", 30) + "]}]\n",
		"generate[0].matrix has more than 20 axes":                                     "generate:\n- matrix: {" + axes(21) + "}\n  job: {name: \"a${matrix.a1}\", source: {instance: pc-1}}\n",
	} {
		_, err := Parse("plan.yaml", []byte(benchHead+"defaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n"+file), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.400v, want %q", err, want)
		}
	}
}

// axes are so many axes of one value each.
func axes(n int) string {
	var all []string
	for i := range n {
		all = append(all, "a"+strings.Repeat("b", i)+": [1]")
	}
	return strings.Join(all, ", ")
}
