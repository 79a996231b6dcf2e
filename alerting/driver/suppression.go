package driver

import (
	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/internal/window"
	"github.com/auditwarden/auditwarden/monitor"
)

// A suppression is that of all alerts or, for a silence, of some.
type suppression struct {
	window     window.Window
	rules      []string
	keys       []string
	severities []monitor.Severity
}

func newSuppression(s *alerting.Silence) (suppression, error) {
	w, _, err := window.Parse(window.Spec{
		Start: s.Start, End: s.End, TimeZone: s.TimeZone, Weekdays: s.Weekdays, From: s.From, Until: s.Until,
	})
	return suppression{w, s.Rules, s.Keys, s.Severities}, err
}

// covers reports whether it is about an alert.
func (s *suppression) covers(a *monitor.Alert) bool {
	return among(s.severities, a.Severity) && among(s.rules, a.Finding.Rule) && among(s.keys, a.Finding.Key)
}
