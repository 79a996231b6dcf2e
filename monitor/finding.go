package monitor

import (
	"slices"
	"strings"
	"time"
)

// A Finding reports that an event qualifies under a rule, and why. A rule reports
// a finding for every event at or above its threshold, not only for the first.
type Finding struct {
	// Rule is the rule's stable name, such as "failed_auth".
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// OrganizationID is the tenant. The monitor fills it in if it is empty.
	OrganizationID string `json:"organizationId"`
	// Key is the value by which the rule groups events, such as an IP address.
	Key string `json:"key"`
	// KeyField is the JSON name of the field that Key is from, such as "principalId".
	KeyField string `json:"keyField,omitempty"`
	// Event is the qualifying event.
	Event EventRef `json:"event"`
	// EventKey identifies Event if a detector knows no ID of it. If it is zero, the
	// monitor identifies the event by its ID, by its delivery or by its number.
	EventKey EventKey `json:"-"`
	// CompletedBy is the late event whose arrival made Event qualify afterwards. It
	// is zero if Event qualified when it arrived itself.
	CompletedBy EventRef `json:"completedBy,omitzero"`
	// Count is the number of matching events in the window that ends with Event,
	// including Event. Some rules count distinct values or completed steps instead.
	Count int `json:"count"`
	// Steps are the numbers of events of each step, for a rule that counts completed
	// steps.
	Steps []int `json:"steps,omitempty"`
	// AtLeast is set if a memory limit cut the window: Count is a lower bound.
	AtLeast   bool `json:"atLeast,omitempty"`
	Threshold int  `json:"threshold"`
	// Window is the length of the window, or 0 for rules without one. The window is
	// the interval (Event.Timestamp - Window, Event.Timestamp].
	Window time.Duration `json:"window"`
	// References are events in the window, oldest first. The last one is Event. If
	// their number is limited, the newest are kept.
	References []EventRef `json:"references,omitempty"`
	// Uncovered is the set of fields that the rule used and that no signature covers.
	Uncovered Fields `json:"uncovered,omitempty"`
	// Technique is the ID of the MITRE ATT&CK technique, such as "T1110".
	Technique string `json:"technique,omitempty"`
	// Shadow is set for the finding of a rule in shadow mode: it is counted and
	// returned, but raises no alert.
	Shadow bool `json:"shadow,omitempty"`
	// Detail is a short text that the rule adds to the description of the alert.
	Detail string `json:"detail,omitempty"`
	// Guidance is what the rule tells the person who looks at its alerts, or nil. It
	// belongs to the rule and must not change.
	Guidance *Guidance `json:"guidance,omitempty"`
}

// WindowStart returns the exclusive start of the finding's window.
func (f *Finding) WindowStart() time.Time { return f.Event.Timestamp.Add(-f.Window) }

// clone returns a copy that shares no memory with the finding, whose texts can be
// parts of an event's line. The guidance is that of the rule.
func (f *Finding) clone() Finding {
	c := *f
	c.Rule, c.OrganizationID = strings.Clone(f.Rule), strings.Clone(f.OrganizationID)
	c.Key, c.KeyField = strings.Clone(f.Key), strings.Clone(f.KeyField)
	c.Technique, c.Detail = strings.Clone(f.Technique), strings.Clone(f.Detail)
	c.Event.ID, c.CompletedBy.ID = strings.Clone(f.Event.ID), strings.Clone(f.CompletedBy.ID)
	c.Steps = slices.Clone(f.Steps)
	c.References = slices.Clone(f.References)
	for i := range c.References {
		c.References[i].ID = strings.Clone(c.References[i].ID)
	}
	return c
}

// size is about how many bytes the finding takes.
func (f *Finding) size() int {
	const finding, reference, step = 440, 64, 8 // without texts
	size := finding + step*len(f.Steps) + len(f.Rule) + len(f.OrganizationID) + len(f.Key) + len(f.KeyField) +
		len(f.Technique) + len(f.Detail) + len(f.Event.ID) + len(f.CompletedBy.ID)
	for i := range f.References {
		size += reference + len(f.References[i].ID)
	}
	return size
}

// An EventRef refers to an event.
type EventRef struct {
	// ID is the event's ID, if it has one.
	ID string `json:"id,omitempty"`
	// Timestamp is the event's timestamp. In what the monitor itself finds about an
	// event, it is when the monitor did ([RuleTampered]).
	Timestamp time.Time `json:"timestamp,omitzero"`
	// Sequence is the [Arrival.Sequence] of the event, or 0 if it is no longer known.
	Sequence uint64 `json:"sequence,omitempty"`
}

// IsZero reports whether r is the zero value, which refers to no event.
func (r EventRef) IsZero() bool { return r.ID == "" && r.Sequence == 0 && r.Timestamp.IsZero() }
