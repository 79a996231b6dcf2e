package fleet_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

var (
	// soakTime is how long each soak lasts: a quarter with the honest tenants alone, a
	// quarter beside harmless ones that send as fast as they can, the rest beside the
	// hostile.
	soakTime   = flag.Duration("soak", 4*time.Second, "duration of each soak test")
	soakAttack = flag.String("soak.attack", "", "part of the names of the attacks to soak with; all by default")
)

const (
	// honestTenants send honestRate events a second each.
	honestTenants = 8
	honestRate    = 50
	// heapBound is how much memory the service may hold, whatever is sent to it.
	heapBound = 768 << 20
)

// TestSoakMemory has everything in memory.
func TestSoakMemory(t *testing.T) { newSoak(t, inMemory(t)).run() }

// TestSoakServers has two instances share Redis and PostgreSQL.
func TestSoakServers(t *testing.T) {
	shared := newBackends(t)
	newSoak(t, shared.host(t), shared.host(t)).run()
}

// A soak has hostile tenants beside honest ones, all of them for as long as it
// lasts. It says whether the honest got what they would have got alone.
type soak struct {
	*testing.T
	hosts  []*host
	honest []*honestTenant
	heap   atomic.Uint64 // the most that was seen
	// delays are those of the honest tenants' events, by phase.
	delays [3][]time.Duration
}

func newSoak(t *testing.T, hosts ...*host) *soak {
	t.Helper()
	s := &soak{T: t, hosts: hosts}
	for n := range honestTenants {
		s.honest = append(s.honest, newHonestTenant(t, honestName(n)))
	}
	return s
}

func (s *soak) run() {
	s.Helper()
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(s.Context())
	defer running.Wait()
	defer stop()
	for _, h := range s.hosts {
		running.Go(func() { _ = h.monitor.Run(ctx) }) // stop looks at what is left over
	}
	running.Go(func() { s.watchHeap(ctx) })

	hostile := hostileTenants(s.T)
	s.phase("alone", 0, *soakTime/4, nil)
	s.phase("beside the harmless", 1, *soakTime/4, slices.Repeat([]attack{harmless(s.T)}, len(hostile)))
	s.phase("beside the hostile", 2, *soakTime/2, hostile)
	for _, h := range s.hosts {
		h.stop(s.T)
	}
	stop()
	running.Wait()
	s.check()
}

// phase has the tenants send for that time.
func (s *soak) phase(name string, number int, time time.Duration, others []attack) {
	s.Helper()
	ctx, end := context.WithTimeout(s.Context(), time)
	defer end()
	var senders sync.WaitGroup
	for _, tenant := range s.honest {
		senders.Go(func() { tenant.send(ctx, s.T, s.hosts) })
	}
	var sent atomic.Int64
	for i, attack := range others {
		if number == 2 && !strings.Contains(attack.name, *soakAttack) {
			continue
		}
		senders.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				attack.send(ctx, s.hosts[(i+n)%len(s.hosts)], n)
				sent.Add(1)
				runtime.Gosched() // as one that waits for the network between two events
			}
		})
	}
	senders.Wait()
	for _, h := range s.hosts {
		s.delays[number] = append(s.delays[number], h.clock.take()...)
	}
	s.Logf("%s: %d events of the honest, p50 %v, p99 %v; %d of others", name, len(s.delays[number]),
		quantile(s.delays[number], 0.5), quantile(s.delays[number], 0.99), sent.Load())
}

func quantile(delays []time.Duration, q float64) time.Duration {
	if len(delays) == 0 {
		return math.MaxInt64
	}
	slices.Sort(delays)
	return delays[int(q*float64(len(delays)-1))]
}

// watchHeap notes the most memory that was in use.
func (s *soak) watchHeap(ctx context.Context) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		metrics.Read(sample)
		s.heap.Store(max(s.heap.Load(), sample[0].Value.Uint64()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// check compares with what one engine finds that sees the honest alone.
func (s *soak) check() {
	s.Helper()
	for _, tenant := range s.honest {
		require.NotEmpty(s, tenant.want)
		assert.Equal(s, tenant.want, tenant.got(s.T, s.hosts), tenant.name)
	}
	busy, attacked := quantile(s.delays[1], 0.99), quantile(s.delays[2], 0.99)
	s.Logf("p99 beside the hostile is %.1f times that beside the harmless", float64(attacked)/float64(busy))
	s.Logf("at most %d MiB of live heap", s.heap.Load()>>20)
	assert.LessOrEqual(s, s.heap.Load(), uint64(heapBound), "bytes of live heap")
}

// An honestTenant is attacked from outside, all the time, and sends what happens. It
// keeps what one engine finds that sees its events alone, and not the events, since the
// test measures how much memory the service takes.
type honestTenant struct {
	name   string
	signer signer
	engine *detect.Engine
	number int              // of the next event
	sent   []*monitor.Event // the last ones
	want   map[string]incident
}

// The names of honest tenants begin with it.
const honest = "honest-"

func honestName(n int) string { return fmt.Sprint(honest, n) }

func newHonestTenant(t *testing.T, name string) *honestTenant {
	t.Helper()
	engine, err := detect.New(soakRules(t))
	require.NoError(t, err)
	return &honestTenant{name: name, signer: newSigner(t, hmacKey(t, name, name)), engine: engine, want: map[string]incident{}}
}

// send submits events at a steady rate until the time is over, and after every tenth
// of them one that the same host has had some time ago.
func (h *honestTenant) send(ctx context.Context, t *testing.T, hosts []*host) {
	t.Helper()
	tick := time.NewTicker(time.Second / honestRate)
	defer tick.Stop()
	before := 2 * len(hosts)
	for ; ; h.number++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if t.Failed() {
			return
		}
		n := h.number
		e := h.next(n)
		e.ID, e.OrganizationID = fmt.Sprintf("%s-%d", h.name, n), h.name
		e.Timestamp = time.Now()
		h.signer.sign(t, e)
		h.expect(t, e)
		to := hosts[n%len(hosts)]
		h.submit(t, to, e)
		if h.sent = append(h.sent, e); len(h.sent) > before {
			if n%10 == 9 {
				h.submit(t, to, h.sent[0])
			}
			h.sent = slices.Delete(h.sent, 0, 1)
		}
	}
}

// expect counts what comes of an event.
func (h *honestTenant) expect(t *testing.T, e *monitor.Event) {
	t.Helper()
	r := monitor.NewReporter(monitor.Arrival{
		OrganizationID: h.name, Sequence: uint64(h.number + 1), Watermark: e.Timestamp, Lateness: time.Minute,
	})
	if err := h.engine.Detect(context.Background(), e, r); err != nil {
		t.Errorf("%s: %v", h.name, err)
	}
	for _, f := range r.Findings() {
		w := h.want[f.Rule+" "+f.Key]
		w.Occurrences, w.Alerts, w.Notified = w.Occurrences+1, 1, true
		h.want[f.Rule+" "+f.Key] = w
	}
}

func (h *honestTenant) submit(t *testing.T, to *host, e *monitor.Event) {
	t.Helper()
	limited, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := to.monitor.Submit(to.clock.start(limited), e.Clone()); err != nil {
		t.Errorf("%s: %v", h.name, err)
	}
}

// next returns an event of one of several incidents, which begin anew every now and
// then: failed logins, denials, reading of patients' data, and what is none.
func (h *honestTenant) next(n int) *monitor.Event {
	incident := fmt.Sprint(n / 200)
	switch n % 4 {
	case 0:
		return &monitor.Event{Action: "auth.login.failure", Status: monitor.StatusFailure, PrincipalID: "mallory-" + incident}
	case 1:
		return &monitor.Event{
			Action: "record.open", Status: monitor.StatusFailure, PrincipalID: "eve-" + incident, OutcomeDescription: "Access denied",
		}
	case 2:
		return &monitor.Event{
			Action: "fhir.patient.read", Status: monitor.StatusSuccess, PrincipalID: "trudy-" + incident, TargetResourceType: "Patient",
		}
	default:
		return &monitor.Event{Action: "menu.open", Status: monitor.StatusSuccess, PrincipalID: "carl"}
	}
}

// got returns what the hosts have of it.
func (h *honestTenant) got(t *testing.T, hosts []*host) map[string]incident {
	t.Helper()
	got := map[string]incident{}
	for q := (alerting.Query{Organization: h.name, Limit: alerting.MaxLimit}); ; {
		page := 0
		for a, err := range hosts[0].alerts.List(context.Background(), q) {
			require.NoError(t, err)
			page++
			g := got[a.Finding.Rule+" "+a.Finding.Key]
			g.Occurrences, g.Alerts = g.Occurrences+a.Occurrences, g.Alerts+1
			for _, other := range hosts {
				g.Notified = g.Notified || other.receiver.has(a.ID)
			}
			got[a.Finding.Rule+" "+a.Finding.Key] = g
			q.After = alerting.Cursor(a)
		}
		if page < alerting.MaxLimit {
			return got
		}
	}
}

// An incident is what is to be known of an alert.
type incident struct {
	Occurrences int64
	Alerts      int
	Notified    bool
}
