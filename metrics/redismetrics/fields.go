package redismetrics

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
)

// key returns the key under which something is kept.
func (c *Collector) key(path ...string) string {
	return c.prefix + ":" + strings.Join(path, ":")
}

// A family is a hash. A field's name is a part of a series, NUL, the labels of
// the series. The part of a counter is its total; a histogram has more, and its
// buckets besides, under their numbers. The field "series" has no NUL: it
// counts the series, so that the script can bound them.
const (
	partCount  = ""
	partFailed = "failed"
	partSum    = "sum"
	partMax    = "max"
)

// A tally is a series as it stands in Redis.
type tally struct {
	count, failed int64
	durations     *metrics.Distribution // nil: a counter
}

// parseFamily reads a family's hash, by labels.
func parseFamily(hash map[string]string) (map[string]*tally, error) {
	family := map[string]*tally{}
	for field, value := range hash {
		part, labels, ok := strings.Cut(field, "\x00")
		if !ok {
			continue
		}
		t := family[labels]
		if t == nil {
			t = &tally{}
			family[labels] = t
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", field, err)
		}
		if err := t.add(part, n); err != nil {
			return nil, fmt.Errorf("field %q: %w", field, err)
		}
	}
	return family, nil
}

func (t *tally) add(part string, n int64) error {
	switch part {
	case partCount:
		t.count = n
		return nil
	case partFailed:
		t.failed = n
		return nil
	}
	if t.durations == nil {
		t.durations = &metrics.Distribution{}
	}
	switch part {
	case partSum:
		t.durations.Sum = time.Duration(n)
	case partMax:
		t.durations.Max = time.Duration(n)
	default:
		bucket, err := strconv.Atoi(part)
		if err != nil || bucket < 0 || bucket >= metrics.BucketCount {
			return fmt.Errorf("no bucket of a histogram: %q", part)
		}
		t.durations.Counts[bucket] = n
	}
	return nil
}

// gaugeValues are values by name and labels. Redis has those of each instance
// in one field, as JSON, so that they go when the instance goes.
type gaugeValues map[string]map[string]int64

// monitorGauges is the name of the gauges of package monitor, the labels being
// their names. The names of the host's gauges are preceded by a colon.
const monitorGauges = "monitor"

func (g gaugeValues) add(name, labels string, n int64) {
	if g[name] == nil {
		g[name] = map[string]int64{}
	}
	g[name][labels] += n
}

func (g gaugeValues) encode() []byte {
	text, _ := json.Marshal(g) //nolint:errchkjson // text and integers have no other form
	return text
}

// parseGauges reads the gauges of all instances and adds them up.
func parseGauges(hash map[string]string) (gaugeValues, error) {
	sum := gaugeValues{}
	for instance, text := range hash {
		var values gaugeValues
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("gauges of instance %q: %w", instance, err)
		}
		for name, series := range values {
			for labels, n := range series {
				sum.add(name, labels, n)
			}
		}
	}
	return sum, nil
}
