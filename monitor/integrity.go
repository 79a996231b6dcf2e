package monitor

import (
	"fmt"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/internal/words"
)

// The names of the rules that the monitor itself applies. Their findings have the
// time at which the monitor found out. The event's own timestamp, which whoever
// sends it can choose, is in the detail.
const (
	// RuleTampered is the rule of an event that failed verification.
	RuleTampered = "tampered"
	// RuleReplayed is the rule of an event that arrived again after
	// [Config.RedeliveryHorizon].
	RuleReplayed = "replayed"
	// RuleConflicting is the rule of an event that has the same ID as an earlier
	// event with different content.
	RuleConflicting = "conflicting"
)

// tampered is the finding on an event that failed verification. Everything the
// event says of itself is a claim: the alert goes to the operator, and it is
// one incident per verdict and source, however many tenants are named.
func (it *item) tampered(operator, source string, now time.Time) Finding {
	v, e := &it.result.Verification, it.Event
	reason := v.Verdict.String()
	if v.Err != nil {
		reason = strings.ToValidUTF8(v.Err.Error(), "\uFFFD")
	}
	f := it.finding(RuleTampered, SeverityCritical, now)
	f.OrganizationID = operator
	f.Key, f.KeyField = v.Verdict.String()+"@"+source, "verdict"
	f.Detail = fmt.Sprintf("%.512s; the event claims organization %.64q, principal %.64q, action %.64q, time %s",
		reason, e.OrganizationID, e.PrincipalID, e.Action, it.claimedTime())
	f.Uncovered = ^v.Covered & allFields
	f.Technique, f.Guidance = "T1565.001", tamperedGuidance()
	return f
}

func (it *item) replayed(horizon time.Duration, now time.Time) Finding {
	f := it.findingByPrincipal(RuleReplayed, now)
	f.Detail = fmt.Sprintf("event %.64q of %s was delivered again after more than %s", it.Event.ID, it.claimedTime(), words.Duration(horizon))
	f.Technique, f.Guidance = "T1565.002", replayedGuidance()
	return f
}

func (it *item) conflicting(now time.Time) Finding {
	f := it.findingByPrincipal(RuleConflicting, now)
	f.Detail = fmt.Sprintf("event %.64q of %s differs from the one known by that ID", it.Event.ID, it.claimedTime())
	f.Technique, f.Guidance = "T1565.002", conflictingGuidance()
	return f
}

func (it *item) findingByPrincipal(rule string, now time.Time) Finding {
	f := it.finding(rule, SeverityHigh, now)
	f.OrganizationID = it.reporter.arrival.OrganizationID
	f.Key, f.KeyField = strings.TrimSpace(it.Event.PrincipalID), "principalId"
	if f.Key == "" {
		f.Key = "unknown"
	}
	return f
}

func (it *item) claimedTime() string { return it.Event.Timestamp.UTC().Format(time.RFC3339) }

func (it *item) finding(rule string, severity Severity, now time.Time) Finding {
	return Finding{
		Rule:      rule,
		Severity:  severity,
		Event:     EventRef{ID: it.Event.ID, Timestamp: now.UTC().Round(0), Sequence: it.reporter.arrival.Sequence},
		Count:     1,
		Threshold: 1,
	}
}
