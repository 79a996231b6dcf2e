package fleet_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// patience is how long a test waits for something: longer than the lease of
// whoever is killed while it delivers.
const patience = time.Minute

// A fleet is instances of one service, the queue in front of them, and the
// receiver of their notifications.
type fleet struct {
	*testing.T
	settings settings // of an instance
	receiver *receiver
	queue    *queue
	trail    *trail
	store    *pgalerts.Store // of somebody who looks on

	instances []*process
	retries   retries
	loaded    []int // the waves of the trail that were loaded
	resolved  map[monitor.Fingerprint]bool
}

// newFleet returns a fleet without instances. Its attack is that of the trail.
func newFleet(t *testing.T, tr *trail, redis []string, postgres string) *fleet {
	t.Helper()
	t.Logf("seed %d", tr.seed)
	f := &fleet{T: t, queue: newQueue(), trail: tr, resolved: map[monitor.Fingerprint]bool{}}
	f.receiver = newReceiver(t)
	f.settings = settings{
		Redis:         redis,
		Postgres:      schema(t, postgres),
		Prefix:        testservice.Prefix(t),
		Secret:        secret,
		Webhook:       f.receiver.URL,
		WebhookSecret: webhookSecret,
		WebhookLimit:  5 * time.Second,
		Patience:      10 * time.Second,
		Coalesce:      100 * time.Millisecond,
	}
	pool := testservice.PostgresPool(t, f.settings.Postgres)
	require.NoError(t, pgalerts.Migrate(t.Context(), pool))
	var err error
	f.store, err = pgalerts.New(pool, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		f.queue.close()
		for _, p := range f.instances {
			p.kill()
		}
	})
	return f
}

// schema makes a schema of the test's own and returns the URL of connections that
// work in it, which are few.
func schema(t *testing.T, server string) string {
	t.Helper()
	return testservice.WithParameter(t, testservice.PostgresSchema(t, server), "pool_max_conns", "4")
}

// eventually waits until something is so.
func (f *fleet) eventually(what string, is func() bool) {
	f.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			f.Fatalf("it never came about that %s; %v", what, &f.retries)
		}
		if f.Failed() {
			f.FailNow()
		}
	}
}

// join starts instances with these settings.
func (f *fleet) join(n int, s settings) {
	f.Helper()
	for range n {
		p := startProcess(f, s, f.queue, &f.retries)
		f.instances = append(f.instances, p)
		go p.work()
	}
}

// load queues a wave of the attack; every twice-th event is in it twice.
func (f *fleet) load(wave, twice int) {
	f.Helper()
	f.loaded = append(f.loaded, wave)
	f.queue.load(f.trail.batches(f.T, wave, twice))
}

// settle waits until everything that was loaded is stored.
func (f *fleet) settle() {
	f.Helper()
	f.queue.release()
	f.eventually("all events are stored", f.queue.idle)
}

// finish waits until everything is stored and delivered, and ends the instances.
func (f *fleet) finish() {
	f.Helper()
	f.settle()
	f.eventually("all notifications are delivered", func() bool {
		b, err := f.store.Backlog(f.Context())
		return err == nil && b.Waiting == 0
	})
	f.queue.close()
	for _, p := range f.instances {
		select {
		case <-p.gone:
		case <-time.After(2 * endLimit):
			f.Fatal("an instance does not end")
		}
	}
	f.Log(&f.retries)
}

// resolveHalf resolves half of the alerts.
func (f *fleet) resolveHalf() {
	f.Helper()
	for i, a := range f.alerts() {
		if i%2 == 0 {
			continue
		}
		_, err := f.store.Change(f.Context(), a.Ref(), monitor.AlertResolved, "somebody", "")
		require.NoError(f, err)
		f.resolved[a.Fingerprint] = true
	}
}

// alerts returns all alerts.
func (f *fleet) alerts() []*monitor.Alert {
	f.Helper()
	as, err := f.store.List(f.Context(), alerting.Query{Organization: alerting.AllOrganizations, Limit: alerting.MaxLimit})
	require.NoError(f, err)
	require.Less(f, len(as), alerting.MaxLimit, "more alerts than on a page")
	return as
}

// An alertKey tells alerts apart: an incident that was resolved may have another,
// which is open.
type alertKey struct {
	fingerprint monitor.Fingerprint
	open        bool
}

// An outcome is what is to be known of an alert.
type outcome struct {
	name          string
	occurrences   int64
	first, last   time.Time
	notifications int
}

// wanted returns the alerts that there have to be.
func (f *fleet) wanted() map[alertKey]outcome {
	want := map[alertKey]outcome{}
	waves := map[alertKey]map[int]bool{}
	for _, q := range f.trail.findings {
		if !slices.Contains(f.loaded, q.wave) {
			continue
		}
		key := alertKey{q.fingerprint, q.wave > 0 || !f.resolved[q.fingerprint]}
		o, known := want[key]
		if !known {
			o = outcome{name: q.name, first: q.at, last: q.at}
			waves[key] = map[int]bool{}
		}
		o.occurrences++
		if q.at.Before(o.first) {
			o.first = q.at
		}
		if q.at.After(o.last) {
			o.last = q.at
		}
		// The first event of a wave, and no other, is due for notification: a wave
		// is shorter than the cooldown, and what is between them is longer.
		waves[key][q.wave] = true
		o.notifications = len(waves[key])
		want[key] = o
	}
	return want
}

// check says whether everything came as it had to.
func (f *fleet) check() {
	f.Helper()
	as := f.alerts()
	got := map[alertKey]outcome{}
	want := f.wanted()
	for _, a := range as {
		key := alertKey{a.Fingerprint, a.Status.Open()}
		assert.NotContains(f, got, key, "%s: there are two alerts", want[key].name)
		got[key] = outcome{
			name: want[key].name, occurrences: a.Occurrences, first: a.FirstSeen, last: a.LastSeen,
			notifications: f.notified(a),
		}
	}
	for key, w := range want {
		assert.Equal(f, w.String(), got[key].String(), w.name)
	}
	assert.Len(f, got, len(want))
	f.checkReceived(want)
	f.checkMetrics(as)
}

// notified returns how many notifications of an alert were received, and checks
// that the one of its opening is among them.
func (f *fleet) notified(a *monitor.Alert) (n int) {
	f.Helper()
	_, reasons, alerts := f.receiver.got()
	opened, _ := driver.OccurrenceNotification(a.ID, monitor.EventKeyOf(a.OrganizationID, a.Finding.Event.ID), true)
	assert.Equal(f, alerting.ReasonOpened, reasons[opened], "alert %s: the notification of its opening", a.ID)
	for key, id := range alerts {
		if id != a.ID {
			continue
		}
		n++
		if key != opened {
			assert.Equal(f, alerting.ReasonRepeated, reasons[key], "alert %s", a.ID)
		}
	}
	return n
}

// checkReceived checks that nothing else was received, and that nothing is left.
func (f *fleet) checkReceived(want map[alertKey]outcome) {
	f.Helper()
	due := 0
	for _, w := range want {
		due += w.notifications
	}
	_, reasons, _ := f.receiver.got()
	assert.Len(f, reasons, due)
	b, err := f.store.Backlog(f.Context())
	require.NoError(f, err)
	assert.Zero(f, b.Waiting, "notifications left")
	assert.Zero(f, b.Dead, "notifications given up")
}

// checkMetrics checks what all instances have counted. One that is killed has not
// said everything.
func (f *fleet) checkMetrics(as []*monitor.Alert) {
	f.Helper()
	if slices.ContainsFunc(f.instances, func(p *process) bool { return p.dies.Load() }) {
		return
	}
	client, err := newRedis(f.settings)
	require.NoError(f, err)
	defer client.Close()
	collector, err := redismetrics.New(client, &redismetrics.Options{Prefix: f.settings.Prefix + "metrics"})
	require.NoError(f, err)
	m, err := collector.Snapshot(f.Context())
	require.NoError(f, err)
	var events, duplicates int64
	for _, p := range f.instances {
		events += int64(p.events)
		duplicates += int64(p.duplicates)
	}
	taken, _, _ := f.receiver.got()
	want := map[monitor.Metric]int64{
		monitor.EventsProcessed:     events,
		monitor.ProcessingLatency:   events,
		monitor.EventsDuplicate:     duplicates,
		monitor.IntegrityViolations: 0,
		monitor.EventsConflicting:   0,
		monitor.EventsTooLate:       0,
		monitor.StateTruncations:    0,
		monitor.NotificationsDead:   0,
	}
	if f.receiver.met() == 0 { // otherwise answers may have been lost
		want[monitor.NotificationsDelivered] = int64(taken)
	}
	if f.retries.count.Load() == 0 { // what is tried again is verified and judged again
		want[monitor.Verifications] = events
		want[monitor.Errors] = 0
		want[monitor.AlertsCreated] = int64(len(as))
	}
	for _, metric := range slices.Sorted(maps.Keys(want)) {
		assert.Equal(f, want[metric], m.Value(metric), metric)
	}
}

func (o outcome) String() string {
	return fmt.Sprintf("%d occurrences from %v to %v, %d notifications", o.occurrences, o.first, o.last, o.notifications)
}
