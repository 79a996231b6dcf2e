package pgalerts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// There is a notification for every occurrence that is due and every change, and
// it is written once.
func testOutbox(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	_, err := s.SaveSettings(t.Context(), "acme", alerting.Settings{
		Cooldown:     time.Minute,
		Suppressions: []alerting.Suppression{{From: at(300), Until: at(400), Reason: "upgrade"}},
	}, "ann")
	require.NoError(t, err)
	batch := []*monitor.Occurrence{
		occurrence("mallory", "e1", 0),   // due
		occurrence("mallory", "e2", 30),  // in the cooldown
		occurrence("mallory", "e3", 60),  // due
		occurrence("mallory", "e5", 350), // suppressed
		occurrence("eve", "e6", 350),     // suppressed
		occurrence("eve", "e7", 410),     // due
	}
	ds := put(t, s, batch...)
	put(t, s, batch...)
	mallory, eve := ds[0].AlertID, ds[4].AlertID
	_, err = s.Change(t.Context(), monitor.AlertRef{Organization: "acme", ID: mallory}, monitor.AlertAcknowledged, "ann", "")
	require.NoError(t, err)
	got := scan[[]string](t, pool, `SELECT array_agg(concat_ws(' ', organization_id, reason, idempotency_key) ORDER BY sequence)
		FROM auditwarden_alert_outbox WHERE route = '' AND due_at = created_at AND attempts = 0 AND NOT dead`)
	want := []string{
		"acme opened " + mallory + "/" + batch[0].EventKey.String(),
		"acme repeated " + mallory + "/" + batch[2].EventKey.String(),
		"acme opened " + eve + "/" + batch[5].EventKey.String(),
		"acme acknowledged " + mallory + "/version-2",
	}
	slices.SortFunc(got[:3], strings.Compare) // by fingerprint
	slices.SortFunc(want[:3], strings.Compare)
	assert.Equal(t, want, got)
}

// A dispatcher delivers, as an instance of the application does.
type dispatcher struct {
	store driver.Store
	lease time.Duration

	mu        sync.Mutex
	delivered map[string]int // by key
}

func newDispatcher(s driver.Store) *dispatcher {
	return &dispatcher{store: s, lease: time.Minute, delivered: map[string]int{}}
}

// dispatch delivers what can be claimed now, and returns how many notifications
// that were.
func (d *dispatcher) dispatch(ctx context.Context) (int, error) {
	return d.settle(ctx, alerting.OutcomeDelivered)
}

func (d *dispatcher) settle(ctx context.Context, outcome alerting.Outcome) (int, error) {
	ns, err := d.store.ClaimNotifications(ctx, "pager", pager(), nil, 100, d.lease)
	if err != nil {
		return 0, err
	}
	var ds []alerting.Delivery
	for _, n := range ns {
		ds = append(ds, alerting.Delivery{Notification: n, Outcome: outcome})
		if outcome == alerting.OutcomeDelivered {
			d.mu.Lock()
			d.delivered[n.Key]++
			d.mu.Unlock()
		}
	}
	return len(ns), d.store.SettleNotifications(ctx, ds)
}

// drain delivers everything that waits, leased or not, and returns how often.
func drain(t testing.TB, pool *pgxpool.Pool) map[string]int {
	t.Helper()
	run(t, pool, `UPDATE auditwarden_alert_outbox SET due_at = created_at`)
	d := newDispatcher(newStore(t, pool, nil))
	for n := 1; n > 0; {
		var err error
		n, err = d.dispatch(t.Context())
		require.NoError(t, err)
	}
	b, err := d.store.Backlog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, b.Waiting)
	assert.Zero(t, b.OldestAt)
	return d.delivered
}

// checkAll checks that counters and rows agree, and that everything there is to
// notify can still be delivered. Nothing must have been so far.
func checkAll(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	checkSums(t, pool)
	for what, sql := range map[string]string{
		"notified alerts that are not in the outbox": `SELECT count(*) FROM auditwarden_alerts AS a
			WHERE notified_at IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM auditwarden_alert_outbox AS o
			WHERE o.organization_id = a.organization_id AND o.alert_id = a.id AND o.reason = 'opened')`,
		"changes that are not in the outbox": `SELECT count(*) FROM auditwarden_alert_history AS h
			WHERE version > 1 AND NOT EXISTS (
			SELECT 1 FROM auditwarden_alert_outbox AS o
			WHERE o.organization_id = h.organization_id AND o.alert_id = h.alert_id AND o.idempotency_key LIKE '%/version-' || h.version)`,
	} {
		assert.Zero(t, scan[int](t, pool, sql), what)
	}
	waiting := scan[[]string](t, pool, `SELECT coalesce(array_agg(DISTINCT idempotency_key), '{}') FROM auditwarden_alert_outbox`)
	delivered := drain(t, pool)
	for _, key := range waiting {
		assert.NotZero(t, delivered[key], "%s was not delivered", key)
	}
}

// Ten instances deliver each notification once while their leases last, and those
// of an alert in order. What an instance has claimed that dies is delivered by
// another.
func testClaimers(t *testing.T, server string) {
	const instances, alerts, each = 10, 60, 3
	tr := &tracer{}
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	var batch []*monitor.Occurrence
	for i := range alerts {
		for j := range each {
			batch = append(batch, alertingtest.Occurrence(fmt.Sprint("tenant", i%3), fmt.Sprint(i), fmt.Sprint(i, j), at(j*600)))
		}
	}
	put(t, s, batch...)
	ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 20, time.Millisecond)
	require.NoError(t, err)
	require.Len(t, ns, 20)
	var running sync.WaitGroup
	var mu sync.Mutex
	delivered := map[string]int{}
	for range instances {
		d := newDispatcher(newStore(t, traced(t, pool.Config().ConnString(), 2, tr), nil))
		running.Go(func() {
			for {
				if _, err := d.dispatch(t.Context()); err != nil {
					t.Errorf("dispatch: %v", err)
					break
				}
				if b, err := d.store.Backlog(t.Context()); err != nil || b.Waiting == 0 {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for key, n := range d.delivered {
				delivered[key] += n
			}
		})
	}
	running.Wait()
	assert.Len(t, delivered, alerts*each)
	for key, n := range delivered {
		assert.Equal(t, 1, n, "deliveries of %s", key)
	}
	assert.Empty(t, tr.failed(), "errors of the server")
}

// An alert that somebody has made unreadable holds up no other.
func testBrokenAlert(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	ds := put(t, s, occurrence("mallory", "e1", 0), occurrence("eve", "e2", 0))
	run(t, pool, `UPDATE auditwarden_alerts SET tags = '[1]' WHERE id = $1`, ds[0].AlertID)
	ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 10, time.Minute)
	require.NoError(t, err)
	require.Len(t, ns, 1)
	assert.Equal(t, ds[1].AlertID, ns[0].Alert.ID, "want that of eve")
	run(t, pool, `UPDATE auditwarden_alert_outbox SET due_at = created_at WHERE alert_id = $1`, ds[0].AlertID)
	_, err = s.ClaimNotifications(t.Context(), "pager", pager(), nil, 10, time.Minute)
	require.ErrorContains(t, err, ds[0].AlertID)
	run(t, pool, `UPDATE auditwarden_alert_outbox SET dead = true`)
	dead, err := s.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: "acme", Limit: 10})
	require.ErrorContains(t, err, ds[0].AlertID)
	require.Len(t, dead, 1)
	assert.Equal(t, ds[1].AlertID, dead[0].Alert.ID, "want that of eve")
}

// Repeats change no index.
func testHeapOnly(t *testing.T, server string) {
	tr := &tracer{}
	pool := migrated(t, server)
	connections := traced(t, pool.Config().ConnString(), 1, tr)
	s := newStore(t, connections, nil)
	_, err := s.SaveSettings(t.Context(), "acme", escalating(time.Hour), "ann")
	require.NoError(t, err)
	for i := range 4 {
		put(t, s, occurrence("mallory", fmt.Sprint(i), i))
	}
	run(t, connections, `SELECT pg_stat_force_next_flush()`)
	for column, want := range map[string]int{"n_tup_upd": 3, "n_tup_hot_upd": 3} {
		n := scan[int](t, connections, `SELECT `+column+` FROM pg_stat_user_tables WHERE relid = 'auditwarden_alerts'::regclass`)
		assert.Equal(t, want, n, column)
	}
}

// escalating returns settings by which alerts escalate after that time and twice
// that time.
func escalating(after time.Duration) alerting.Settings {
	return alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{
		monitor.SeverityMedium: {{After: after}, {After: 2 * after, Routes: []string{"pager"}}},
	}}
}

// A notification that is routed before an older one of its alert waits for that.
func testRoutedOutOfOrder(t *testing.T, server string) {
	pool := migrated(t, server)
	s := newStore(t, pool, nil)
	ds := put(t, s, occurrence("mallory", "e1", 0))
	ref := monitor.AlertRef{Organization: "acme", ID: ds[0].AlertID}
	_, err := s.Change(t.Context(), ref, monitor.AlertAcknowledged, "ann", "")
	require.NoError(t, err)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM auditwarden_alert_outbox WHERE reason = 'opened' FOR UPDATE`)
	require.NoError(t, err)
	ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 10, time.Minute)
	require.NoError(t, err)
	assert.Empty(t, ns)
	assert.Equal(t, 1, scan[int](t, pool, `SELECT count(*) FROM auditwarden_alert_outbox WHERE route = 'pager'`))
	require.NoError(t, tx.Rollback(t.Context()))
	for _, reason := range []alerting.Reason{alerting.ReasonOpened, alerting.ReasonAcknowledged} {
		ns, err := s.ClaimNotifications(t.Context(), "pager", pager(), nil, 10, time.Minute)
		require.NoError(t, err)
		require.Len(t, ns, 1)
		assert.Equal(t, reason, ns[0].Reason)
		require.NoError(t, s.SettleNotifications(t.Context(), []alerting.Delivery{{Notification: ns[0]}}))
	}
}
