package monitor

import "time"

// A Finding is one qualifying event of one rule, and the reasons why it
// qualifies. A rule reports a finding for every event at or over its threshold,
// not only for the first.
type Finding struct {
	// Rule is the rule's stable name, such as "failed_auth".
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// OrganizationID is the tenant. The monitor fills it in if it is empty.
	OrganizationID string `json:"organizationId"`
	// Key is the value that groups events: a principal, an address, the
	// organization.
	Key string `json:"key"`
	// KeyField says what Key is, such as "principalId".
	KeyField string `json:"keyField,omitempty"`
	// Event is the qualifying event.
	Event EventRef `json:"event"`
	// CompletedBy is the late event that made an earlier one qualify. It is the
	// zero EventRef when Event qualified on its own arrival.
	CompletedBy EventRef `json:"completedBy,omitzero"`
	// Count is the number of matching events in the window that ends with
	// Event (of distinct values or of completed steps, for rules that count
	// those), Event included.
	Count int `json:"count"`
	// AtLeast is set when a memory cap cut the window: Count is a lower bound.
	AtLeast   bool `json:"atLeast,omitempty"`
	Threshold int  `json:"threshold"`
	// Window is the length of the window, 0 for rules that have none. The
	// window is (Event.Timestamp - Window, Event.Timestamp].
	Window time.Duration `json:"window"`
	// References are events of the window, oldest first, the last one being
	// Event. They are capped: the newest are kept.
	References []EventRef `json:"references,omitempty"`
	// Uncovered are the fields that the rule looked at and that no signature
	// covers.
	Uncovered Fields `json:"uncovered,omitempty"`
	// Technique is the MITRE ATT&CK technique, such as "T1110".
	Technique string `json:"technique,omitempty"`
	// Shadow is set for a finding that is counted and returned, but raises no
	// alert.
	Shadow bool `json:"shadow,omitempty"`
	// Detail is a short text that the rule adds to the description of the alert.
	Detail string `json:"detail,omitempty"`
}

// WindowStart returns the exclusive start of the finding's window.
func (f *Finding) WindowStart() time.Time { return f.Event.Timestamp.Add(-f.Window) }

// An EventRef refers to an event.
type EventRef struct {
	// ID is the event's ID, if it has one.
	ID string `json:"id,omitempty"`
	// Timestamp is the event's timestamp.
	Timestamp time.Time `json:"timestamp,omitzero"`
	// Sequence is [Arrival.Sequence] of the event. It is 0 when it is no longer
	// known.
	Sequence uint64 `json:"sequence,omitempty"`
}

// IsZero reports whether r refers to no event.
func (r EventRef) IsZero() bool { return r.ID == "" && r.Sequence == 0 && r.Timestamp.IsZero() }
