package alertingtest

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// maxFinding is the size limit of the texts that a rule composes, in bytes.
const maxFinding = 8 * monitor.MaxFieldSize

// text returns a text of this many bytes that cannot be compressed much.
func text(size int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	random := rand.New(rand.NewPCG(1, uint64(size)))
	var b strings.Builder
	for range size {
		b.WriteByte(letters[random.IntN(len(letters))])
	}
	return b.String()
}

// largest returns an occurrence whose texts and times are at their limits.
func largest() *monitor.Occurrence {
	first := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2261, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	o := Occurrence(text(monitor.MaxOrganizationSize), "", "", first)
	o.LastSeen = last
	o.Type, o.Source, o.CorrelationID = monitor.AlertType(text(1000)), text(monitor.MaxFieldSize), text(monitor.MaxFieldSize)
	f := &o.Finding
	f.Rule, f.Key, f.KeyField = text(monitor.MaxRuleSize), text(maxFinding), text(monitor.MaxFieldSize)
	f.Technique, f.Detail = text(monitor.MaxFieldSize), text(maxFinding)
	f.Event = monitor.EventRef{ID: text(monitor.MaxFieldSize), Timestamp: last, Sequence: 1}
	f.CompletedBy = monitor.EventRef{ID: text(monitor.MaxFieldSize), Timestamp: first}
	f.References = []monitor.EventRef{f.CompletedBy, f.Event}
	return o
}

// testLimits checks that the largest values that [monitor.Occurrence.Validate] allows
// can be stored.
func testLimits(t *storeTest) {
	o := largest()
	want := o.Alert()
	d := t.put(o)[0]
	check.Equal(t, "disposition", d.Stored, monitor.StoredNew)
	got := t.get(monitor.AlertRef{Organization: want.OrganizationID, ID: d.AlertID})
	for what, texts := range map[string][2]string{
		"organization": {got.OrganizationID, want.OrganizationID},
		"type":         {string(got.Type), string(want.Type)},
		"source":       {got.Source, want.Source},
		"correlation":  {got.CorrelationID, want.CorrelationID},
		"title":        {got.Title, want.Title},
		"description":  {got.Description, want.Description},
		"rule":         {got.Finding.Rule, want.Finding.Rule},
		"key":          {got.Finding.Key, want.Finding.Key},
		"key field":    {got.Finding.KeyField, want.Finding.KeyField},
		"technique":    {got.Finding.Technique, want.Finding.Technique},
		"detail":       {got.Finding.Detail, want.Finding.Detail},
		"event":        {got.Finding.Event.ID, want.Finding.Event.ID},
		"completed by": {got.Finding.CompletedBy.ID, want.Finding.CompletedBy.ID},
		"reference":    {got.Finding.References[1].ID, want.Finding.References[1].ID},
	} {
		if texts[0] != texts[1] {
			t.Errorf("the text of %s has %d bytes and is not the one of %d bytes that was stored", what, len(texts[0]), len(texts[1]))
		}
	}
	check.Equal(t, "FirstSeen", got.FirstSeen, want.FirstSeen)
	check.Equal(t, "LastSeen", got.LastSeen, want.LastSeen)
	check.Equal(t, "Timestamp", got.Finding.Event.Timestamp, want.Finding.Event.Timestamp)
	check.Equal(t, "Timestamp of the late event", got.Finding.CompletedBy.Timestamp, want.Finding.CompletedBy.Timestamp)
	// It can be found, changed, notified and deleted like any other.
	q := alerting.Query{
		Organization: want.OrganizationID, Types: []monitor.AlertType{want.Type},
		Sources: []string{want.Source}, Rules: []string{want.Finding.Rule},
	}
	check.Equal(t, "count", t.count(q), 1)
	stats := t.statistics(alerting.StatisticsQuery{Organization: want.OrganizationID})
	check.Equal(t, "alerts of the source", stats.BySource[want.Source], 1)
	n := t.claimOne(pager, routes(pager))
	check.Equal(t, "alert of the notification", n.Alert.ID, d.AlertID)
	t.settle(alerting.Delivery{Notification: n})
	t.ok(t.Resolve(t.Context(), got.Ref(), text(255), text(10_000)))
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), want.OrganizationID, time.Now().Add(time.Hour)))(t), 1)
}

// testBeyondLimits checks that a store refuses what [monitor.Occurrence.Validate]
// refuses, for good, and stores nothing of the call.
func testBeyondLimits(t *storeTest) {
	for what, spoil := range map[string]func(*monitor.Occurrence){
		"organization that is too long":  func(o *monitor.Occurrence) { o.Finding.OrganizationID = text(monitor.MaxOrganizationSize + 1) },
		"organization with a NUL":        func(o *monitor.Occurrence) { o.Finding.OrganizationID = "a\x00b" },
		"organization that is not UTF-8": func(o *monitor.Occurrence) { o.Finding.OrganizationID = "\xff" },
		"all organizations":              func(o *monitor.Occurrence) { o.Finding.OrganizationID = alerting.AllOrganizations },
		"no organization":                func(o *monitor.Occurrence) { o.Finding.OrganizationID = "" },
		"rule that is too long":          func(o *monitor.Occurrence) { o.Finding.Rule = text(monitor.MaxRuleSize + 1) },
		"key that is too long":           func(o *monitor.Occurrence) { o.Finding.Key = text(maxFinding + 1) },
		"detail that is too long":        func(o *monitor.Occurrence) { o.Finding.Detail = text(maxFinding + 1) },
		"event ID that is too long":      func(o *monitor.Occurrence) { o.Finding.Event.ID = text(monitor.MaxFieldSize + 1) },
		"late event ID that is too long": func(o *monitor.Occurrence) {
			o.Finding.CompletedBy = monitor.EventRef{ID: text(monitor.MaxFieldSize + 1), Timestamp: minutes(0)}
		},
		"reference that is too long": func(o *monitor.Occurrence) { o.Finding.References[0].ID = text(monitor.MaxFieldSize + 1) },
		"source that is too long":    func(o *monitor.Occurrence) { o.Source = text(monitor.MaxFieldSize + 1) },
		"no fingerprint":             func(o *monitor.Occurrence) { o.Fingerprint = monitor.Fingerprint{} },
		"no event key":               func(o *monitor.Occurrence) { o.EventKey = monitor.EventKey{} },
		"unknown severity":           func(o *monitor.Occurrence) { o.Finding.Severity = monitor.SeverityCritical + 1 },
		"count of 0":                 func(o *monitor.Occurrence) { o.Count = 0 },
		"no FirstSeen":               func(o *monitor.Occurrence) { o.FirstSeen = time.Time{} },
		"FirstSeen of 1677":          func(o *monitor.Occurrence) { o.FirstSeen = time.Date(1677, 12, 31, 23, 59, 59, 0, time.UTC) },
		"LastSeen of 2262":           func(o *monitor.Occurrence) { o.LastSeen = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC) },
		"LastSeen of 10001":          func(o *monitor.Occurrence) { o.LastSeen = time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no timestamp":               func(o *monitor.Occurrence) { o.Finding.Event.Timestamp = time.Time{} },
		"reference of 10001": func(o *monitor.Occurrence) {
			o.Finding.References[0].Timestamp = time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)
		},
	} {
		good, bad := Occurrence(acme, "mallory", "e1", minutes(0)), Occurrence(acme, "eve", "e2", minutes(0))
		spoil(bad)
		for _, os := range [][]*monitor.Occurrence{{bad}, {good, bad}} {
			_, err := t.store.StoreOccurrences(t.Context(), os)
			if _, ok := errors.AsType[*monitor.InvalidOccurrenceError](err); !ok || !errors.Is(err, monitor.ErrPermanent) {
				t.Errorf("%s: the error is %v, want an InvalidOccurrenceError", what, err)
			}
		}
	}
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: alerting.AllOrganizations}), 0)
	check.Equal(t, "waiting", t.backlog().Waiting, 0)
}
