package pgalerts

import (
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// An occurrence knows its place in the call.
type occurrence struct {
	*monitor.Occurrence
	place int
}

// A tenant is the part of an [intake] that belongs to one organization.
type tenant struct {
	organization string
	occurrences  []occurrence // by fingerprint, those of one in the call's order

	// What read finds out.
	policy *driver.Policy
	misled bool // the policy is not the organization's, whose settings are broken
	open   map[monitor.Fingerprint]*openAlert
	known  map[int]string // by index of an occurrence: the ID of the alert that has it

	// What decide wants to have written.
	opened, joined []*openAlert // by fingerprint
	counted        []countedOccurrence
	due            []countedOccurrence
}

// An openAlert is an open alert. Of one that was found it has only what an
// occurrence or a timer can change, and what decides on that.
type openAlert struct {
	*monitor.Alert
	notified time.Time // event time of the occurrence that was due last
	timer    driver.Timer
	keys     map[monitor.EventKey]bool

	// Only if it is new.
	opening                 alerting.Change
	openedBy                monitor.EventKey
	tags, metadata, finding string
}

// A counted occurrence is one that an alert has counted.
type countedOccurrence struct {
	occurrence
	alert  *openAlert
	stored monitor.StoreResult
}

// decide fills in the dispositions of the organization's occurrences.
//
// Previous are those of an attempt whose commit got no response, or none. If an
// alert has an occurrence that this attempt wanted to add, the commit took effect,
// and the caller is told what was true then.
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
			driver.Join(alert.Alert, o.Occurrence, now)
			if alert.Severity != severity {
				alert.timer = t.policy.StartTimer(alert.Alert)
			}
			d.Stored = monitor.StoredRepeat
		}
		alert.keys[o.EventKey] = true
		c := countedOccurrence{o, alert, d.Stored}
		t.counted = append(t.counted, c)
		d.AlertID, d.Notify = alert.ID, t.policy.Notify(alert.notified, o.LastSeen)
		if d.Notify == monitor.NotifyDue {
			alert.notified = o.LastSeen
			t.due = append(t.due, c)
		}
	}
	if t.misled {
		for _, alert := range slices.Concat(t.opened, t.joined) {
			alert.timer.Due = now // RunTimers will tell
		}
	}
	return nil
}

// open returns the alert that an occurrence opens.
func open(o *monitor.Occurrence, now time.Time) (*openAlert, error) {
	alert := &openAlert{keys: map[monitor.EventKey]bool{}, openedBy: o.EventKey}
	alert.Alert, alert.opening = driver.Open(o, now)
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
