package alertingtest

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Occurrence returns an occurrence of the rule "failed_auth", such as a monitor
// passes to a store. Occurrences with the same organization and key belong to the
// same alert; event identifies the event, which happened at the given time.
func Occurrence(organization, key, event string, at time.Time) *monitor.Occurrence {
	const rule = "failed_auth"
	ref := monitor.EventRef{ID: event, Timestamp: at, Sequence: 1}
	return &monitor.Occurrence{
		Fingerprint: monitor.FingerprintOf(rule, organization, key),
		EventKey:    monitor.EventKeyOf(organization, event),
		Source:      "audit-monitoring",
		Finding: monitor.Finding{
			Rule: rule, Severity: monitor.SeverityMedium, OrganizationID: organization,
			Key: key, KeyField: "principalId", Event: ref, Count: 5, Threshold: 5,
			Window: 5 * time.Minute, References: []monitor.EventRef{ref}, Technique: "T1110",
		},
		Count:     1,
		FirstSeen: at,
		LastSeen:  at,
	}
}

// The tenants of the tests, and the person who changes alerts.
const (
	acme  = "acme"
	other = "other"
	ann   = "ann"
)

// start is the event time from which minutes counts. It is a Friday.
func start() time.Time { return time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC) }

func minutes(n float64) time.Time {
	return start().Add(time.Duration(n * float64(time.Minute)))
}
