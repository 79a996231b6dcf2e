package redismetrics

import (
	"slices"
	"testing"
)

// FuzzLabels holds the text of labels to being unambiguous.
func FuzzLabels(f *testing.F) {
	f.Add("endpoint", "GET /", "status", "200")
	f.Add("a=b", "%26&", "", "\x00")
	f.Add("", "", "%", "%25")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		labels := []Label{{name1, value1}, {name2, value2}}
		text := string(appendLabels(nil, labels))
		if got := parseLabels(text); !slices.Equal(got, labels) {
			t.Errorf("%q read as %q, want %q", text, got, labels)
		}
	})
}

// FuzzParseFamily reads hashes that somebody else wrote.
func FuzzParseFamily(f *testing.F) {
	f.Add("\x00endpoint=GET+/", "12")
	f.Add("sum\x00", "9223372036854775807")
	f.Add("1887\x00a", "-1")
	f.Add("series", "3")
	f.Fuzz(func(t *testing.T, field, value string) {
		family, err := parseFamily(map[string]string{field: value})
		if (err != nil) != (family == nil) || len(family) > 1 {
			t.Errorf("%v with error %v", family, err)
		}
		for labels, series := range family {
			if series.durations != nil {
				series.durations.Summary()
			}
			parseLabels(labels)
		}
	})
}

// FuzzParseGauges reads gauges that somebody else wrote.
func FuzzParseGauges(f *testing.F) {
	f.Add(`{"monitor":{"queue_depth":3},":connections":{"":4}}`)
	f.Add(`null`)
	f.Add(`{"monitor":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseGauges(map[string]string{"a": text})
		if (err != nil) != (values == nil) {
			t.Errorf("%v with error %v", values, err)
		}
	})
}
