package pgalerts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/monitor"
)

// No text that an attacker puts into an event keeps its alert from being stored.
func testHostileText(t *testing.T, server string) {
	s := newStore(t, migrated(t, server), nil)
	const stored = "a\uFFFDb\uFFFDc\\u0000\\\uFFFD"
	for i, hostile := range []string{"a\x00b\xffc\\u0000\\\x00", strings.Repeat("\\\x00", 127)} {
		o := occurrence(hostile, "e1", i)
		o.Finding.Rule, o.Finding.Key, o.Finding.Detail, o.Finding.Event.ID = hostile, hostile, hostile, hostile
		o.Type, o.Source, o.CorrelationID = monitor.AlertType(hostile), hostile, hostile
		o.Finding.KeyField, o.Finding.Technique = hostile, hostile
		put(t, s, o)
		// What is found is looked for by what was sent.
		found := all(t, s, alerting.Query{
			Types: []monitor.AlertType{monitor.AlertType(hostile)}, Sources: []string{hostile}, Rules: []string{hostile},
		})
		require.Len(t, found, 1)
		if i > 0 {
			continue
		}
		a := found[0]
		for what, got := range map[string]string{
			"rule": a.Finding.Rule, "key": a.Finding.Key, "type": string(a.Type),
			"source": a.Source, "correlation ID": a.CorrelationID, "tag": a.Tags[1],
		} {
			assert.Equal(t, stored, got, what)
		}
		assert.Equal(t, stored, a.Metadata[stored])
		assert.Contains(t, a.Title, "\uFFFD")
		assert.Contains(t, a.Description, "\uFFFD")
	}
	assert.Empty(t, all(t, s, alerting.Query{Statuses: []monitor.AlertStatus{"a\x00\xff"}}))
}

// requireInvalid checks that an error is about that field.
func requireInvalid(t *testing.T, field string, err error) {
	t.Helper()
	var invalid *alerting.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, field, invalid.Field)
}

func testWhatCannotBeStored(t *testing.T, server string) {
	s := newStore(t, migrated(t, server), nil)
	for field, spoil := range map[string]func(o *monitor.Occurrence){
		"Finding.OrganizationID":  func(o *monitor.Occurrence) { o.Finding.OrganizationID = strings.Repeat("x", 1001) },
		"Finding.Event.Timestamp": func(o *monitor.Occurrence) { o.Finding.Event.Timestamp = time.Time{}.AddDate(10_000, 0, 0) },
	} {
		o := occurrence("mallory", "e1", 0)
		spoil(o)
		err := store(t.Context(), s, occurrence("eve", "e2", 0), o)
		require.ErrorIs(t, err, monitor.ErrPermanent)
		require.ErrorContains(t, err, field)
	}
	for _, organization := range []string{"ac\xffme", strings.Repeat("x", 1001)} {
		_, err := s.Count(t.Context(), alerting.Query{Organization: organization})
		requireInvalid(t, "Organization", err)
		_, err = s.Statistics(t.Context(), alerting.StatisticsQuery{Organization: organization})
		requireInvalid(t, "Organization", err)
		_, err = s.Settings(t.Context(), organization)
		requireInvalid(t, "Organization", err)
		_, _, err = s.Get(t.Context(), monitor.AlertRef{Organization: organization, ID: "x"})
		requireInvalid(t, "Organization", err)
	}
	assert.Empty(t, all(t, s, alerting.Query{Organization: alerting.AllOrganizations}))
}

// An occurrence of the longest organization there can be is stored and found.
func testLongOrganization(t *testing.T, server string) {
	s := newStore(t, migrated(t, server), nil)
	name := strings.Repeat("ä", 500)
	put(t, s, alertingtest.Occurrence(name, "mallory", "e1", at(0)))
	_, err := s.SaveSettings(t.Context(), name, alerting.Settings{}, "ann")
	require.NoError(t, err)
	assert.Len(t, all(t, s, alerting.Query{Organization: name}), 1)
}

// Limits finer than the server's precision, or outside what it knows, are exact
// all the same.
func testTimes(t *testing.T, server string) {
	s := newStore(t, migrated(t, server), nil)
	put(t, s, occurrence("mallory", "e1", 0))
	created := all(t, s, alerting.Query{})[0].CreatedAt
	for _, tt := range []struct {
		name         string
		since, until time.Time
		want         int
	}{
		{"from then", created, time.Time{}, 1},
		{"a nanosecond later", created.Add(1), time.Time{}, 0},
		{"until then", time.Time{}, created, 0},
		{"until a nanosecond later", time.Time{}, created.Add(1), 1},
		{"far away", time.Date(-300_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC), 1},
	} {
		q := alerting.Query{Organization: "acme", Since: tt.since, Until: tt.until}
		n, err := s.Count(t.Context(), q)
		require.NoError(t, err, tt.name)
		assert.Equal(t, tt.want, n, tt.name)
		assert.Len(t, all(t, s, q), tt.want, tt.name)
	}
	for _, tt := range []struct {
		since  time.Time
		period time.Duration
		want   []int
	}{
		{created.Add(-2 * time.Microsecond), time.Microsecond, []int{0, 0, 1, 0}},
		{created.Add(-2000), 1500, []int{0, 1}},
		{created.Add(-2), 1, []int{0, 0, 1, 0}},
		{created.Add(-1), 2, []int{1, 0}},
	} {
		q := alerting.StatisticsQuery{
			Organization: "acme", Since: tt.since, Until: tt.since.Add(time.Duration(len(tt.want)) * tt.period), Period: tt.period,
		}
		stats, err := s.Statistics(t.Context(), q)
		require.NoError(t, err)
		for i, trend := range stats.Trends {
			assert.Equal(t, tt.want[i], trend.Created, "number %d of periods of %v", i, tt.period)
		}
	}
	_, err := s.Count(t.Context(), alerting.Query{Organization: "acme", After: alerting.Cursor(&monitor.Alert{ID: "of memalerts"})})
	require.NoError(t, err, "Count looks at the cursor")
	_, err = s.List(t.Context(), alerting.Query{Organization: "acme", After: alerting.Cursor(&monitor.Alert{ID: "foreign"}), Limit: 1})
	requireInvalid(t, "Query.After", err)
}

func settings(cooldown time.Duration) alerting.Settings { return alerting.Settings{Cooldown: cooldown} }
