package pgalerts_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/monitor"
)

// Ten instances do each step once, over many organizations.
func testTimersOnce(t *testing.T, server string) {
	const instances, tenants, alerts = 10, 6, 10
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	for i := range tenants {
		tenant := fmt.Sprint("tenant", i)
		settings := escalating(time.Millisecond)
		if i%2 == 1 {
			settings = alerting.Settings{AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: time.Millisecond}}
		}
		_, err := s.SaveSettings(t.Context(), tenant, settings, "ann")
		require.NoError(t, err)
		for j := range alerts {
			put(t, s, alertingtest.Occurrence(tenant, fmt.Sprint(j), fmt.Sprint(j), at(0)))
		}
	}
	const escalations, resolutions = tenants / 2 * alerts * 2, tenants / 2 * alerts
	var escalated, resolved atomic.Int64
	tr := &tracer{}
	var running sync.WaitGroup
	for range instances {
		s := newStore(t, traced(t, pool.Config().ConnString(), 2, tr), nil)
		running.Go(func() {
			for !t.Failed() && (escalated.Load() < escalations || resolved.Load() < resolutions) {
				e, r, err := s.RunTimers(t.Context())
				if err != nil {
					t.Errorf("RunTimers: %v", err)
					return
				}
				escalated.Add(int64(e))
				resolved.Add(int64(r))
			}
		})
	}
	running.Wait()
	assert.EqualValues(t, escalations, escalated.Load())
	for what, want := range map[string]int{
		`reason = 'escalated'`: escalations, `reason = 'resolved'`: resolutions, `targets = '{pager}'`: escalations / 2,
	} {
		assert.Equal(t, want, scan[int](t, pool, `SELECT count(*) FROM auditwarden_alert_outbox WHERE `+what), what)
	}
	assert.Zero(t, scan[int](t, pool, `SELECT count(*) FROM auditwarden_alerts WHERE timer_due IS NOT NULL`), "timers that still run")
	assert.Empty(t, tr.failed(), "errors of the server")
	checkAll(t, pool)
}

// An organization whose settings are broken loses no alert, and holds up no other.
// Its timers run as soon as the settings are right.
func testBrokenSettings(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	for _, tenant := range []string{"acme", "other"} {
		_, err := s.SaveSettings(t.Context(), tenant, escalating(time.Millisecond), "ann")
		require.NoError(t, err)
	}
	put(t, s, occurrence("eve", "e0", 0))
	for _, broken := range []string{`{"debounceWindow": "long"}`, `{"suppressionWindows": [{"timezone": "Mars/Base"}]}`} {
		run(t, pool, `UPDATE auditwarden_alert_settings SET settings = $1 WHERE organization_id = 'acme'`, broken)
		key := broken[:10]
		worse := occurrence("eve", key, 1)
		worse.Finding.Severity = monitor.SeverityHigh
		put(t, s, occurrence(key, key, 0), worse, alertingtest.Occurrence("other", key, key, at(0)))
		for escalated := 0; escalated == 0; { // until it is time
			var err error
			escalated, _, err = s.RunTimers(t.Context())
			if err != nil {
				require.ErrorContains(t, err, `"acme"`)
			}
		}
		// Once in a while is often enough.
		putOff := scan[int](t, pool, `SELECT count(*) FROM auditwarden_alerts WHERE organization_id = 'acme' AND timer_due > now() + interval '50 seconds'`)
		assert.GreaterOrEqual(t, putOff, 2)
		_, err := s.Settings(t.Context(), "acme")
		require.ErrorContains(t, err, `"acme"`)
		others, err := s.AllSettings(t.Context())
		require.ErrorContains(t, err, `"acme"`)
		require.Equal(t, []string{"other"}, slices.Collect(maps.Keys(others)))
	}
	// A later release has saved what this one does not know.
	run(t, pool, `UPDATE auditwarden_alert_settings SET settings = '{"version": 1, "later": [{}], "debounceWindow": 7}' WHERE organization_id = 'acme'`)
	settings, err := s.Settings(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, 7*time.Minute, settings.Cooldown)
	run(t, pool, `UPDATE auditwarden_alert_settings SET settings = (
		SELECT settings FROM auditwarden_alert_settings WHERE organization_id = 'other')`)
	run(t, pool, `UPDATE auditwarden_alerts SET timer_due = now() WHERE organization_id = 'acme'`)
	for escalated := 0; escalated < 2; {
		more, _, err := s.RunTimers(t.Context())
		require.NoError(t, err)
		escalated += more
	}
	checkAll(t, pool)
}

// Settings are saved while an occurrence is being stored that was decided by the
// settings before.
func testSettingsRace(t *testing.T, server string) {
	for _, what := range []string{"StoreOccurrences", "Reopen"} {
		t.Run(what, func(t *testing.T) {
			tr := &tracer{}
			s, pool := tracedStore(t, server, tr)
			other := newStore(t, pool, nil)
			call := func() error { return store(t.Context(), s, occurrence("mallory", "e1", 0)) }
			if what == "Reopen" {
				ref := monitor.AlertRef{Organization: "acme", ID: put(t, s, occurrence("mallory", "e1", 0))[0].AlertID}
				_, err := s.Change(t.Context(), ref, monitor.AlertResolved, "ann", "")
				require.NoError(t, err)
				call = func() error { _, err := s.Change(t.Context(), ref, monitor.AlertActive, "ann", ""); return err }
			}
			saved := make(chan error, 1)
			var once sync.Once
			tr.after = func(statements []string) {
				if !strings.Contains(strings.Join(statements, " "), "FOR NO KEY UPDATE") {
					return
				}
				once.Do(func() {
					go func() {
						_, err := other.SaveSettings(t.Context(), "acme", escalating(time.Hour), "ann")
						saved <- err
					}()
					awaitSaving(t, pool)
				})
			}
			require.NoError(t, call())
			require.NoError(t, <-saved)
			_, _, err := other.RunTimers(t.Context()) // sets it again
			require.NoError(t, err)
			due := scan[*time.Time](t, pool, `SELECT timer_due FROM auditwarden_alerts`)
			require.NotNil(t, due)
			assert.GreaterOrEqual(t, time.Until(*due), 50*time.Minute, "want it in an hour")
		})
	}
}

// awaitSaving returns when somebody waits for a lock of the settings, or has saved
// them.
func awaitSaving(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for t.Context().Err() == nil {
		if scan[bool](t, pool, `SELECT EXISTS (SELECT 1 FROM pg_locks
				WHERE locktype = 'advisory' AND NOT granted AND classid = 'auditwarden_alert_settings'::regclass)
			OR EXISTS (SELECT 1 FROM auditwarden_alert_settings)`) {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// Whatever instances do at once, none waits for another in a circle.
func testEverythingAtOnce(t *testing.T, server string) {
	const instances, rounds = 6, 40
	tr := &tracer{}
	pool := migrated(t, server)
	var running sync.WaitGroup
	for i := range instances {
		s := newStore(t, traced(t, pool.Config().ConnString(), 2, tr), nil)
		d := newDispatcher(s)
		random := rand.New(rand.NewPCG(1, uint64(i)))
		tenant := func() string { return fmt.Sprint("tenant", random.IntN(4)) }
		change := func() error {
			as := all(t, s, alerting.Query{Organization: alerting.AllOrganizations, Limit: 20})
			if len(as) == 0 {
				return nil
			}
			ref := as[random.IntN(len(as))].Ref()
			ref.Version = 0
			to := monitor.AlertResolved
			if random.IntN(2) == 0 {
				to = monitor.AlertActive
			}
			_, err := s.Change(t.Context(), ref, to, "ann", "")
			return err
		}
		operations := map[string]func(round int) error{
			"StoreOccurrences": func(round int) error {
				var batch []*monitor.Occurrence
				for e := range 20 {
					o := alertingtest.Occurrence(tenant(), fmt.Sprint(random.IntN(10)), fmt.Sprint(i, round, e), at(round*600))
					o.Finding.Severity = monitor.Severity(random.IntN(5))
					batch = append(batch, o)
				}
				_, err := s.StoreOccurrences(t.Context(), batch)
				return err
			},
			"change":       func(int) error { return change() },
			"change again": func(int) error { return change() },
			"RunTimers":    func(int) error { _, _, err := s.RunTimers(t.Context()); return err },
			"dispatch":     func(int) error { _, err := d.dispatch(t.Context()); return err },
			"SaveSettings": func(round int) error {
				name := tenant()
				settings, err := s.Settings(t.Context(), name)
				if err != nil {
					return err
				}
				settings.Escalations = escalating(time.Duration(1+round%2) * time.Millisecond).Escalations
				settings.AutoResolve = map[monitor.Severity]time.Duration{monitor.SeverityLow: time.Millisecond}
				_, err = s.SaveSettings(t.Context(), name, settings, "ann")
				return err
			},
			"Purge": func(int) error { _, err := s.Purge(t.Context(), tenant(), time.Now()); return err },
			"Redrive": func(int) error {
				if _, err := d.settle(t.Context(), alerting.OutcomeDead); err != nil {
					return err
				}
				_, err := s.Redrive(t.Context(), alerting.AllOrganizations, "pager")
				return err
			},
		}
		running.Go(func() {
			for round := range rounds {
				for what, operation := range operations { // in random order
					err := operation(round)
					if err != nil && !errors.Is(err, alerting.ErrTransition) && !errors.Is(err, monitor.ErrConflict) && !errors.Is(err, monitor.ErrNotFound) {
						t.Errorf("%s: %v", what, err)
					}
				}
			}
		})
	}
	running.Wait()
	for _, code := range tr.failed() {
		assert.Equal(t, "23505", code, "an alert that was reopened beside another")
	}
	checkSums(t, pool)
	drain(t, pool)
}
