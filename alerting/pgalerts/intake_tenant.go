package pgalerts

import (
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// An occurrence has its index (place) in the call.
type occurrence struct {
	*monitor.Occurrence
	place int
}

// A tenant is the part of an [intake] that belongs to one organization.
type tenant struct {
	organization string
	occurrences  []occurrence // by fingerprint, then in the order of the call

	// These are set by read.
	policy *driver.Policy
	misled bool // the settings are broken, and policy is the default
	open   map[monitor.Fingerprint]*openAlert
	known  map[int]string // ID of the alert that has counted an occurrence, by index

	// earlier has the closed alerts of the fingerprints, if the policy needs them.
	earlier map[monitor.Fingerprint][]driver.Earlier

	// These are set by decide and must be written.
	opened, joined []*openAlert // by fingerprint
	counted        []countedOccurrence
	due            []countedOccurrence
}

// An openAlert is an open alert. If it was read from the database, it only has the
// fields that an occurrence or a timer can change or that decide how.
type openAlert struct {
	*monitor.Alert
	timer driver.Timer
	keys  map[monitor.EventKey]bool
	// The evidence that is kept.
	events     int
	eventBytes int64

	// These are only set for a new alert.
	opening                 alerting.Change
	openedBy                monitor.EventKey
	tags, metadata, finding string
}

// A countedOccurrence is an occurrence that is added to an alert.
type countedOccurrence struct {
	occurrence
	alert *openAlert
	first bool // nobody was notified of the alert before
	kept  bool // its evidence is kept
}

// decide sets the dispositions of the occurrences and determines what to write.
//
// Previous has the dispositions of an earlier attempt that got no response to its
// commit, if any. If an alert already has an occurrence that this attempt added, the
// commit took effect, and the caller gets the disposition of that attempt.
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
			if alert, err = t.newAlert(o.Occurrence, now); err != nil {
				return err
			}
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
			alert.Finding.Rule, alert.Finding.Key = o.Finding.Rule, o.Finding.Key // of which the fingerprint was made
			severity := alert.Severity
			driver.Join(alert.Alert, o.Occurrence, now)
			if alert.Severity != severity {
				alert.timer = t.policy.StartTimer(alert.Alert, alert.timer, now)
			}
			d.Stored = monitor.StoredRepeat
		}
		alert.keys[o.EventKey] = true
		c := countedOccurrence{occurrence: o, alert: alert}
		if c.kept = driver.KeepsEvidence(alert.events, alert.eventBytes, o.Evidence); c.kept {
			alert.events++
			alert.eventBytes += int64(len(o.Evidence))
		}
		t.counted = append(t.counted, c)
		c.first, d.AlertID = alert.timer.Notified.IsZero(), alert.ID
		d.Notify, alert.timer = t.policy.Notify(alert.Alert, alert.timer, o.LastSeen, now)
		if d.Notify == monitor.NotifyDue {
			t.due = append(t.due, c)
		}
	}
	if t.misled {
		for _, alert := range slices.Concat(t.opened, t.joined) {
			alert.timer.Due = now // RunTimers returns an error about the settings
		}
	}
	return nil
}

// newAlert returns the alert that an occurrence opens.
func (t *tenant) newAlert(o *monitor.Occurrence, now time.Time) (*openAlert, error) {
	alert := &openAlert{keys: map[monitor.EventKey]bool{}, openedBy: o.EventKey}
	alert.Alert, alert.opening = driver.Open(o, now)
	alert.timer = t.policy.Opened(alert.Alert, t.earlier[alert.Fingerprint], now)
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
