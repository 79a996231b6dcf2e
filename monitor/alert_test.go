package monitor_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestAlertOfAnOccurrence(t *testing.T) {
	t.Parallel()
	o := &monitor.Occurrence{
		Fingerprint: monitor.FingerprintOf("failed_auth", "org-1", "ann"), Source: "login", CorrelationID: "c",
		TraceID: monitor.TraceID{1}, SpanID: monitor.SpanID{2}, Count: 3, FirstSeen: noon, LastSeen: noon.Add(time.Second),
		Finding: monitor.Finding{
			Rule: "failed_auth", Severity: monitor.SeverityHigh, OrganizationID: "org-1", Key: "ann", KeyField: "principalId",
			Event: monitor.EventRef{ID: "e5", Timestamp: noon},
			Count: 5, Threshold: 5, Window: 5 * time.Minute, Technique: "T1110", AtLeast: true,
			References: []monitor.EventRef{{ID: "e4"}, {}, {ID: "e5"}},
			Uncovered:  monitor.FieldSession,
		},
	}
	d := o.Alert()
	if ok := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(d.ID); !ok {
		t.Errorf("ID %q is no UUIDv7", d.ID)
	}
	if again := o.Alert(); again.ID == d.ID {
		t.Error("two alerts with one ID")
	}
	check.Equal(t, "organization", d.OrganizationID, "org-1")
	check.Equal(t, "fingerprint", d.Fingerprint, o.Fingerprint)
	check.Equal(t, "severity", d.Severity, monitor.SeverityHigh)
	check.Equal(t, "type", d.Type, monitor.AlertSecurity)
	check.Equal(t, "status", d.Status, monitor.AlertActive)
	check.Equal(t, "source", d.Source, "login")
	check.Equal(t, "correlation ID", d.CorrelationID, "c")
	check.Equal(t, "trace", d.TraceID, o.TraceID)
	check.Equal(t, "span", d.SpanID, o.SpanID)
	check.Equal(t, "occurrences", d.Occurrences, 3)
	check.Equal(t, "first seen", d.FirstSeen, noon)
	check.Equal(t, "last seen", d.LastSeen, noon.Add(time.Second))
	check.Equal(t, "title", d.Title, "Suspicious Pattern Detected: FAILED_AUTH")
	check.Equal(t, "description", d.Description, "at least 5 events in 5 minutes for principal ann, up to 2026-05-04 12:00:00 UTC (threshold 5)")
	check.Equal(t, "tags", strings.Join(d.Tags, ","), "suspicious-pattern,failed-auth")
	for key, want := range map[string]any{
		"patternType": "FAILED_AUTH", "eventCount": 5, "organizationId": "org-1", "principalId": "ann",
		"window": int64(300000), "windowEnd": "2026-05-04T12:00:00.000Z", "windowStart": "2026-05-04T11:55:00.000Z",
		"technique": "T1110", "uncoveredFields": "sessionContext", "atLeast": true,
	} {
		check.Equal(t, key, d.Metadata[key], want)
	}
	check.Equal(t, "event IDs", list(d.Metadata["eventIds"]), "[e4 e5]")

	d.Finding.References[0].ID = "x"
	check.Equal(t, "reference of the occurrence", o.Finding.References[0].ID, "e4")
	d.Finding.References[0].ID = "e4"
	o.Type = monitor.AlertCompliance
	check.Equal(t, "type", o.Alert().Type, monitor.AlertCompliance)

	// A copy keeps what is there and shares nothing.
	c := d.Clone()
	check.Equal(t, "ID", c.ID, d.ID)
	c.Tags[0], c.Metadata["window"], c.Finding.References[0].ID = "x", 0, "x"
	check.Equal(t, "tags", d.Tags[0], "suspicious-pattern")
	check.Equal(t, "metadata", d.Metadata["window"], any(int64(300000)))
	check.Equal(t, "references", d.Finding.References[0].ID, "e4")
}

func TestDescribeStaysOnOneLine(t *testing.T) {
	t.Parallel()
	f := monitor.Finding{Rule: "off_hours", Key: "ann\n\x1b[31mroot\u2028", KeyField: "principalId",
		Event: monitor.EventRef{Timestamp: noon}, Count: 1, Detail: strings.Repeat("ü", 500)}
	d := f.Describe()
	if strings.ContainsAny(d, "\n\x1b\u2028") || len(d) > 600 {
		t.Errorf("description %q", d)
	}
	if !strings.HasPrefix(d, "at 2026-05-04 12:00:00 UTC for principal ann  [31mroot") {
		t.Errorf("description %q", d)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	f := monitor.FingerprintOf("rule", "org", "key")
	for _, other := range []monitor.Fingerprint{
		monitor.FingerprintOf("rul", "eorg", "key"),
		monitor.FingerprintOf("rule", "org2", "key"),
		monitor.FingerprintOf("rule", "org", "key2"),
	} {
		if f == other {
			t.Error("two incidents have one fingerprint")
		}
	}
	text, err := f.MarshalText()
	if err != nil || string(text) != f.String() || len(text) != 64 {
		t.Errorf("text %q, %v", text, err)
	}
	var back monitor.Fingerprint
	if err := back.UnmarshalText(text); err != nil || back != f {
		t.Errorf("read back %v, %v", back, err)
	}
	for _, bad := range []string{"", "00", strings.Repeat("zz", 32)} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("fingerprint %q accepted", bad)
		}
	}
}

func TestEventKey(t *testing.T) {
	t.Parallel()
	k := monitor.EventKeyOf("org", "id")
	if k == monitor.EventKeyOf("or", "gid") || k != monitor.EventKeyOf("org", "id") || len(k.String()) != 32 {
		t.Errorf("key %v", k)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		monitor.SeverityCritical.String():                         "CRITICAL",
		monitor.Severity(9).String():                              "unknown(9)",
		monitor.VerdictContentEdited.String():                     "content_edited",
		monitor.VerdictUndecided.String():                         "undecided",
		monitor.DecisionDefer.String():                            "defer",
		monitor.TimingFuture.String():                             "future",
		monitor.QueueDropOldest.String():                          "drop_oldest",
		monitor.DuplicateConflicting.String():                     "conflicting",
		monitor.StoredBefore.String():                             "before",
		monitor.NotifySuppressed.String():                         "suppressed",
		monitor.HealthCritical.String():                           "CRITICAL",
		monitor.NotificationsDropped.String():                     "notifications_dropped",
		(monitor.FieldAction | monitor.FieldRecordCount).String(): "action,recordCount",
	} {
		check.Equal(t, "name", got, want)
	}
	var s monitor.Severity
	if err := s.UnmarshalText([]byte("HIGH")); err != nil || s != monitor.SeverityHigh {
		t.Errorf("severity %v, %v", s, err)
	}
	if err := s.UnmarshalText([]byte("high")); err == nil {
		t.Error("severity in lower case accepted")
	}
}
