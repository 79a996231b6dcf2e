package memmetrics

import "github.com/auditwarden/auditwarden/monitor"

// A counter is spread over stripes. Its length is a power of two.
type counter []cell

func (c counter) record(n int64) { c[stripe(len(c))].n.Add(n) }

func (c counter) data() monitor.MetricData {
	var sum int64
	for i := range c {
		sum += c[i].n.Load()
	}
	return monitor.MetricData{Value: sum}
}

func (c counter) reset() {
	for i := range c {
		c[i].n.Store(0)
	}
}
