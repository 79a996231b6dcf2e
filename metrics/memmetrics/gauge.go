package memmetrics

import "github.com/auditwarden/auditwarden/monitor"

// A gauge is one place, so that the last value is the one that stays.
type gauge cell

func (g *gauge) record(value int64) { g.n.Store(value) }

func (g *gauge) data() monitor.MetricData { return monitor.MetricData{Value: g.n.Load()} }
