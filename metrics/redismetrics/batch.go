package redismetrics

import "github.com/auditwarden/auditwarden/monitor"

// A batch is what a flush sends: the keys and arguments of the script.
type batch struct {
	keys       []string
	args       []any
	attributes int // of the last metric
	count      int // where args tells their number
}

// metric begins the metric that is kept under a key.
func (b *batch) metric(key string) {
	b.keys = append(b.keys, key)
	b.attributes, b.count = 0, len(b.args)
	b.args = append(b.args, b.attributes)
}

// add adds to an attribute of the metric, unless there is nothing to add: each
// part's name and what to add to it.
func (b *batch) add(attribute string, data monitor.MetricData) {
	d := &data.Distribution
	parts := []any{partValue, data.Value}
	if d.Sum != 0 {
		parts = append(parts, partSum, int64(d.Sum))
	}
	if d.Max != 0 {
		parts = append(parts, partMax, int64(d.Max))
	}
	for _, bucket := range d.Buckets {
		parts = append(parts, bucketPart(bucket), bucket.Count)
	}
	if data.Value == 0 && len(parts) == 2 {
		return
	}
	b.attributes++
	b.args[b.count] = b.attributes
	b.args = append(b.args, attribute, len(parts)/2)
	b.args = append(b.args, parts...)
}
