package detect

import (
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Defaults returns five rules: failed logins, unauthorized access, many accesses to
// data in a short time, many bulk operations, and access to data at night. They match
// what the reference of docs/compatibility.md matched, and their alerts have its titles
// and tags; [Modern] has better matches and titles. The caller may change what it gets.
//
// A rule matches an event by parts of texts, so that "data.read" is a part of
// "metadata.read.all", too. The parts of actions are in lower case.
//
//   - [FailedAuth]: [monitor.StatusFailure], and an action with auth.login.failure. 5 of
//     a principal, or of an address if the event names no principal, in 5 minutes.
//   - [UnauthorizedAccess]: [monitor.StatusFailure], and an outcome description with
//     unauthorized, access denied or forbidden, in letters of either case. 3 of a
//     principal in 10 minutes.
//   - [DataVelocity]: [monitor.StatusSuccess], and any target resource type, or an
//     action with data.read or fhir. with its dot. 50 of a principal in 1 minute.
//   - [BulkOperation]: any status, and a record count above 10, or an action with
//     data.export, data.import or bulk. 100 of an organization in 5 minutes.
//   - [OffHours]: [monitor.StatusSuccess], and an action with data. or fhir. with their
//     dots, from 22 to 6 o'clock ([Options.Location]). Each such event qualifies.
//
// docs/events.md has examples of events that match and of events that do not.
func Defaults() []Rule {
	return compatible(described([]Rule{
		{
			Name: FailedAuth, Version: "1", Severity: monitor.SeverityHigh, Technique: "T1110",
			Match: isFailedAuth, Uses: monitor.FieldStatus | monitor.FieldAction,
			GroupBy: ByPrincipalOrAddress, Threshold: 5, Window: 5 * time.Minute,
		},
		{
			Name: UnauthorizedAccess, Version: "1", Severity: monitor.SeverityCritical, Technique: "T1078",
			Match: isUnauthorizedAccess, Uses: monitor.FieldStatus | monitor.FieldOutcomeDescription,
			GroupBy: ByPrincipal, Threshold: 3, Window: 10 * time.Minute,
		},
		{
			Name: DataVelocity, Version: "1", Severity: monitor.SeverityMedium, Technique: "T1213",
			Match: isDataAccess, Uses: monitor.FieldStatus | monitor.FieldAction | monitor.FieldTargetResourceType,
			GroupBy: ByPrincipal, Threshold: 50, Window: time.Minute,
		},
		{
			Name: BulkOperation, Version: "1", Severity: monitor.SeverityMedium, Technique: "T1020",
			Match: isBulkOperation, Uses: monitor.FieldAction | monitor.FieldRecordCount,
			GroupBy: ByOrganization, Threshold: 100, Window: 5 * time.Minute,
		},
		{
			Name: OffHours, Version: "1", Severity: monitor.SeverityLow, Technique: "T1078",
			Match: isSensitive, Uses: monitor.FieldStatus | monitor.FieldAction,
			Hours: &Hours{Start: defaultStart, End: defaultEnd}, GroupBy: ByPrincipal,
		},
	}))
}

// The off-hours of the rule [OffHours].
const (
	defaultStart = 22
	defaultEnd   = 6
)

func isFailedAuth(e *monitor.Event) bool {
	return e.Status == monitor.StatusFailure && strings.Contains(e.Action, "auth.login.failure")
}

func isUnauthorizedAccess(e *monitor.Event) bool {
	return e.Status == monitor.StatusFailure &&
		(containsFold(e.OutcomeDescription, "unauthorized") ||
			containsFold(e.OutcomeDescription, "access denied") ||
			containsFold(e.OutcomeDescription, "forbidden"))
}

func isDataAccess(e *monitor.Event) bool {
	return e.Status == monitor.StatusSuccess &&
		(e.TargetResourceType != "" ||
			strings.Contains(e.Action, "data.read") ||
			strings.Contains(e.Action, "fhir."))
}

// bulkRecords is the number of records above which any action is a bulk
// operation.
const bulkRecords = 10

func isBulkOperation(e *monitor.Event) bool {
	return e.RecordCount > bulkRecords ||
		strings.Contains(e.Action, "data.export") ||
		strings.Contains(e.Action, "data.import") ||
		strings.Contains(e.Action, "bulk")
}

func isSensitive(e *monitor.Event) bool {
	return e.Status == monitor.StatusSuccess &&
		(strings.Contains(e.Action, "data.") || strings.Contains(e.Action, "fhir."))
}

// containsFold reports whether s contains the lower-case ASCII text, in letters
// of either case.
func containsFold(s, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		j := 0
		for j < len(lower) && toLower(s[i+j]) == lower[j] {
			j++
		}
		if j == len(lower) {
			return true
		}
	}
	return false
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
