package monitor_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
)

func TestMetricDescriptions(t *testing.T) {
	t.Parallel()
	snakeCase := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	unit := regexp.MustCompile(`^(s|\{[a-z]+\})$`)
	seen := map[string]bool{}
	for _, m := range monitor.AllMetrics() {
		d := m.Description()
		if !snakeCase.MatchString(d.Name) || seen[d.Name] {
			t.Errorf("metric %d is named %q", m, d.Name)
		}
		seen[d.Name] = true
		if m.String() != d.Name {
			t.Errorf("%s is written %q", d.Name, m)
		}
		if !unit.MatchString(d.Unit) || (d.Unit == "s") != (d.Kind == monitor.MetricHistogram) {
			t.Errorf("%s, a %s, has the unit %q", d.Name, d.Kind, d.Unit)
		}
		if !strings.HasSuffix(d.Help, ".") {
			t.Errorf("the help of %s is no sentence: %q", d.Name, d.Help)
		}
		if d.Attribute != "" && !snakeCase.MatchString(d.Attribute) || d.Attribute == "" && d.Values != nil {
			t.Errorf("%s has the attribute %q with the values %q", d.Name, d.Attribute, d.Values)
		}
		for _, v := range d.Values {
			if !snakeCase.MatchString(v) {
				t.Errorf("%s has the value %q", d.Name, v)
			}
		}
		if d.Shared && d.Kind != monitor.MetricGauge {
			t.Errorf("%s, a %s, is shared", d.Name, d.Kind)
		}
	}
}

func TestMetricDescriptionIsCopy(t *testing.T) {
	t.Parallel()
	clear(monitor.Errors.Description().Values)
	if got := monitor.Errors.Description().Values; !slices.Contains(got, "panic") {
		t.Errorf("the kinds of errors are %q", got)
	}
}

func TestUnknownMetric(t *testing.T) {
	t.Parallel()
	for _, m := range []monitor.Metric{monitor.Metric(len(monitor.AllMetrics())), math.MaxUint8} {
		if d := m.Description(); d.Name != "" || !strings.HasPrefix(m.String(), "unknown(") {
			t.Errorf("metric %s is described as %+v", m, d)
		}
	}
}
