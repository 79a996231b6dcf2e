package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// timestamps keeps the texts of timestamps for as long as a later line can make
// their events qualify. It keeps only texts that differ from the canonical one.
type timestamps struct {
	lateness       time.Duration
	byOrganization map[string]*recent
}

// recent has the texts of an organization.
type recent struct {
	newest time.Time
	texts  []original // by line
}

type original struct {
	line uint64
	at   time.Time
	text string
}

func newTimestamps(lateness time.Duration) *timestamps {
	return &timestamps{lateness: lateness, byOrganization: map[string]*recent{}}
}

// keep keeps the text of the timestamp of an event that was counted.
func (t *timestamps) keep(line uint64, e *monitor.Event) {
	r := t.byOrganization[e.OrganizationID]
	if r == nil {
		r = &recent{newest: e.Timestamp}
		t.byOrganization[strings.Clone(e.OrganizationID)] = r
	}
	if e.Timestamp.After(r.newest) {
		r.newest = e.Timestamp
	}
	oldest := r.newest.Add(-t.lateness)
	for len(r.texts) > 0 && r.texts[0].at.Before(oldest) {
		r.texts = r.texts[1:]
	}
	if text := e.TimestampText(); text != canonical(e.Timestamp) {
		r.texts = append(r.texts, original{line, e.Timestamp, strings.Clone(text)})
	}
}

// text returns the timestamp of an event as it is written in its line.
func (t *timestamps) text(organization string, event monitor.EventRef) string {
	if r := t.byOrganization[organization]; r != nil {
		i, found := slices.BinarySearchFunc(r.texts, event.Sequence, func(o original, line uint64) int {
			return cmp.Compare(o.line, line)
		})
		if found {
			return r.texts[i].text
		}
	}
	return canonical(event.Timestamp)
}

// canonical returns the text of a time that was not read from text.
func canonical(at time.Time) string { return (&monitor.Event{Timestamp: at}).TimestampText() }
