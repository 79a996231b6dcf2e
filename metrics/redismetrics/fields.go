package redismetrics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A counter or histogram is a hash. The name of a field is a part of the data,
// NUL, the attribute that the part belongs to. The value of a counter is one
// part; a histogram has more, and its buckets besides, as lower and upper bound.
// The field "attributes" has no NUL: it counts the attributes, so that the script
// can bound them.
const (
	partValue = ""
	partSum   = "sum"
	partMax   = "max"
)

// bucketPart returns the name of the part that is a bucket.
func bucketPart(b monitor.DistributionBucket) string {
	return fmt.Sprintf("%d-%d", b.Lower, b.Upper)
}

// parseMetric reads the hash of a counter or histogram.
func parseMetric(hash map[string]string) (monitor.MetricData, error) {
	var all monitor.MetricData
	parts := map[string]*monitor.MetricData{}
	for field, value := range hash {
		part, attribute, ok := strings.Cut(field, "\x00")
		if !ok {
			continue
		}
		if parts[attribute] == nil {
			parts[attribute] = &monitor.MetricData{}
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return all, fmt.Errorf("field %q: %w", field, err)
		}
		if err := setPart(parts[attribute], part, n); err != nil {
			return all, fmt.Errorf("field %q: %w", field, err)
		}
	}
	for attribute, data := range parts {
		slices.SortFunc(data.Distribution.Buckets, func(a, b monitor.DistributionBucket) int {
			return cmp.Compare(a.Lower, b.Lower)
		})
		all.Add(attribute, *data)
	}
	return all, nil
}

func setPart(data *monitor.MetricData, part string, n int64) error {
	d := &data.Distribution
	switch part {
	case partValue:
		data.Value = n
	case partSum:
		d.Sum = time.Duration(n)
	case partMax:
		d.Max = time.Duration(n)
	default:
		lower, upper, _ := strings.Cut(part, "-")
		lo, err := strconv.ParseInt(lower, 10, 64)
		hi, hiErr := strconv.ParseInt(upper, 10, 64)
		if err != nil || hiErr != nil || lo < 0 || hi <= lo {
			return fmt.Errorf("%q is not a histogram bucket", part)
		}
		d.Buckets = append(d.Buckets, monitor.DistributionBucket{
			Lower: time.Duration(lo), Upper: time.Duration(hi), Count: n,
		})
	}
	return nil
}

// gaugeValues are the values of an instance's gauges by metric and attribute.
// Redis has them in one field, as JSON, so that they go when the instance goes.
type gaugeValues map[string]map[string]int64

func (g gaugeValues) encode() []byte {
	text, _ := json.Marshal(g) //nolint:errchkjson // text and integers have no other form
	return text
}

// parseGauges reads the gauges of all instances.
func parseGauges(hash map[string]string) ([]gaugeValues, error) {
	var all []gaugeValues
	for instance, text := range hash {
		var values gaugeValues
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("gauges of instance %q: %w", instance, err)
		}
		all = append(all, values)
	}
	return all, nil
}

// gaugeOf combines the values that instances have for a gauge: their sum, or, if
// they tell about something shared, the greatest.
func gaugeOf(instances []gaugeValues, g monitor.MetricDescription) monitor.MetricData {
	combined := map[string]int64{}
	for _, values := range instances {
		for attribute, n := range values[g.Name] {
			if g.Shared {
				combined[attribute] = max(combined[attribute], n)
			} else {
				combined[attribute] += n
			}
		}
	}
	var all monitor.MetricData
	for attribute, n := range combined {
		all.Add(attribute, monitor.MetricData{Value: n})
	}
	return all
}
