package metrics

import (
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// page gathers the metrics of one plan.
type page struct {
	plan     string
	families []*dto.MetricFamily
}

// gauge begins a family of gauges, all of them labelled with the plan.
func (p *page) gauge(name, help string) gauges {
	f := &dto.MetricFamily{Name: proto.String(name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum()}
	p.families = append(p.families, f)
	return gauges{f, p.plan}
}

type gauges struct {
	family *dto.MetricFamily
	plan   string
}

// add adds one gauge with further labels: names and values in turn.
func (g gauges) add(value float64, labels ...string) {
	pairs := []*dto.LabelPair{{Name: proto.String("plan"), Value: proto.String(g.plan)}}
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, &dto.LabelPair{Name: proto.String(labels[i]), Value: proto.String(labels[i+1])})
	}
	g.family.Metric = append(g.family.Metric, &dto.Metric{Label: pairs, Gauge: &dto.Gauge{Value: proto.Float64(value)}})
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
