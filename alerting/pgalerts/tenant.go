package pgalerts

import (
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// A tenant is the part of an [intake] that belongs to one organization.
type tenant struct {
	organization string
	occurrences  []occurrence // by fingerprint, those of one in the call's order

	// What look finds out.
	policy *alerting.Policy
	misled bool // the policy is not the organization's, whose settings are broken
	open   map[monitor.Fingerprint]*incident
	known  map[int]string // by index of an occurrence: the ID of the alert that has it

	// What decide wants to have written.
	opened, joined []*incident // by fingerprint
	counted        []entry
	due            []entry
}

// An incident is an open alert. Of one that was found only what an occurrence
// can change is there, and what decides on that.
type incident struct {
	*monitor.Alert
	notified time.Time // event time of the occurrence that was due last
	timer    alerting.Timer
	keys     map[monitor.EventKey]bool

	// Only if it is new.
	opening                 alerting.Change
	openedBy                monitor.EventKey
	tags, metadata, finding string
}

// An entry is an occurrence that an alert counted.
type entry struct {
	occurrence
	alert  *incident
	stored monitor.StoreResult
}

// decide fills in the dispositions of the organization's occurrences.
//
// Previous are those of an attempt whose commit got no answer, or none. An alert
// that has an occurrence which that attempt wanted to put there shows that the
// commit took effect: what was true then is still to be told.
func (t *tenant) decide(ds, previous []monitor.Disposition, now time.Time) error {
	t.opened, t.joined, t.counted, t.due = nil, nil, nil, nil
	for i, o := range t.occurrences {
		d := &ds[o.place]
		if id, known := t.known[i]; known {
			*d = monitor.Disposition{AlertID: id, Stored: monitor.StoredBefore}
			if len(previous) > 0 && previous[o.place].AlertID == id {
				*d = previous[o.place]
			}
			continue
		}
		alert := t.open[o.Fingerprint]
		switch {
		case alert == nil:
			var err error
			if alert, err = open(o.Occurrence, now); err != nil {
				return err
			}
			alert.timer = t.policy.StartTimer(alert.Alert)
			t.open[o.Fingerprint] = alert
			t.opened = append(t.opened, alert)
			d.Stored = monitor.StoredNew
		case alert.keys[o.EventKey]:
			*d = monitor.Disposition{AlertID: alert.ID, Stored: monitor.StoredBefore}
			continue
		default:
			if alert.opening.Version == 0 && len(alert.keys) == 0 {
				t.joined = append(t.joined, alert)
			}
			severity := alert.Severity
			alerting.Join(alert.Alert, o.Occurrence, now)
			if alert.Severity != severity {
				alert.timer = t.policy.StartTimer(alert.Alert)
			}
			d.Stored = monitor.StoredRepeat
		}
		alert.keys[o.EventKey] = true
		e := entry{o, alert, d.Stored}
		t.counted = append(t.counted, e)
		d.AlertID, d.Notify = alert.ID, t.policy.Notify(alert.notified, o.LastSeen)
		if d.Notify == monitor.NotifyDue {
			alert.notified = o.LastSeen
			t.due = append(t.due, e)
		}
	}
	if t.misled {
		for _, alert := range slices.Concat(t.opened, t.joined) {
			alert.timer.Due = now // Advance will tell
		}
	}
	return nil
}

// open returns the alert that an occurrence opens.
func open(o *monitor.Occurrence, now time.Time) (*incident, error) {
	alert := &incident{keys: map[monitor.EventKey]bool{}, openedBy: o.EventKey}
	alert.Alert, alert.opening = alerting.Open(o, now)
	var err error
	if alert.tags, err = document(alert.Tags); err != nil {
		return nil, err
	}
	if alert.metadata, err = document(alert.Metadata); err != nil {
		return nil, err
	}
	alert.finding, err = document(alert.Finding)
	return alert, err
}
