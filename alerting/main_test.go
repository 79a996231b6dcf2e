package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var errAway = errors.New("the store is away")

// at is an event time in seconds.
func at(seconds int) time.Time {
	return time.Date(2024, 3, 1, 9, 0, seconds, 0, time.UTC)
}

func occurrence(key, event string, seconds int) *monitor.Occurrence {
	return occurrenceOf("acme", key, event, seconds)
}

func occurrenceOf(organization, key, event string, seconds int) *monitor.Occurrence {
	return alertingtest.Occurrence(organization, key, event, at(seconds))
}

// concerns reports whether one of the occurrences is one of an organization.
func concerns(os []*monitor.Occurrence, organization string) bool {
	return slices.ContainsFunc(os, func(o *monitor.Occurrence) bool { return o.Finding.OrganizationID == organization })
}

// A spyStore is a store that is watched and can be made to fail.
type spyStore struct {
	driver.Store

	mu      sync.Mutex
	calls   []int // sizes of the calls of StoreOccurrences that succeeded
	failing error
	// fault is called before StoreOccurrences does anything, and returns its error.
	fault func(ctx context.Context, os []*monitor.Occurrence) error
	// during is called in StoreOccurrences and Change, after the work.
	during func(method string)
}

func newSpy() *spyStore { return &spyStore{Store: memalerts.New(nil)} }

func (s *spyStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

func (s *spyStore) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *spyStore) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	s.mu.Lock()
	if s.failing != nil {
		defer s.mu.Unlock()
		return nil, s.failing
	}
	during, fault := s.during, s.fault
	s.mu.Unlock()
	if fault != nil {
		if err := fault(ctx, os); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	s.calls = append(s.calls, len(os))
	s.mu.Unlock()
	ds, err := s.Store.StoreOccurrences(ctx, os)
	if during != nil {
		during("StoreOccurrences")
	}
	return ds, err
}

func (s *spyStore) Change(
	ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	a, err := s.Store.Change(ctx, ref, to, by, note)
	s.mu.Lock()
	during := s.during
	s.mu.Unlock()
	if during != nil {
		during("Change")
	}
	return a, err
}

func (s *spyStore) setFault(f func(ctx context.Context, os []*monitor.Occurrence) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// setDuring sets what is called in the middle of a call.
func (s *spyStore) setDuring(f func(method string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.during = f
}

func newManager(t *testing.T, s driver.Store, o *alerting.ManagerOptions) *alerting.Manager {
	t.Helper()
	m, err := alerting.NewManager(s, o)
	if err != nil {
		t.Fatalf("NewManager: %v", err)
	}
	return m
}

// run starts the manager; the function it returns stops it.
func run(t *testing.T, m *alerting.Manager) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-done
	}
}

// advance lets fake time pass, and everything happen that it makes happen.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func put(t *testing.T, s monitor.AlertStorer, os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds, err := s.StoreOccurrences(t.Context(), os)
	if err != nil {
		t.Fatalf("StoreOccurrences: %v", err)
	}
	return ds
}

// all returns the alerts in a store, newest first.
func all(t *testing.T, s driver.Store) []*monitor.Alert {
	t.Helper()
	as, err := s.List(t.Context(), alerting.Query{Organization: alerting.AllOrganizations, Limit: alerting.MaxLimit})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return as
}

// wantStored checks how many alerts there are, and the occurrences of each.
func wantStored(t *testing.T, s driver.Store, occurrences ...int64) {
	t.Helper()
	var got []int64
	for _, a := range all(t, s) {
		got = append(got, a.Occurrences)
	}
	if !slices.Equal(got, occurrences) {
		t.Errorf("occurrences of the stored alerts are %d, want %d", got, occurrences)
	}
}

// pagerRoutes are a route of that name, for whoever claims notifications himself.
func pagerRoutes(name string) []alerting.Route {
	return []alerting.Route{{Name: name, Reasons: alerting.Reasons(), ExpireAfter: 24 * time.Hour}}
}

// A recorder is a notifier that remembers what it got.
type recorder struct {
	mu  sync.Mutex
	got []*alerting.Notification
	err error
}

func (r *recorder) Notify(_ context.Context, n *alerting.Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, n)
	return r.err
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *recorder) notifications() []*alerting.Notification {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *recorder) alerts() (as []*monitor.Alert) {
	for _, n := range r.notifications() {
		as = append(as, n.Alert)
	}
	return as
}

func (r *recorder) want(t *testing.T, keys ...string) {
	t.Helper()
	var got []string
	for _, a := range r.alerts() {
		got = append(got, a.Finding.Key)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("the notifier got %q, want %q", got, keys)
	}
}

func (r *recorder) wantReasons(t *testing.T, want ...alerting.Reason) {
	t.Helper()
	var got []alerting.Reason
	for _, n := range r.notifications() {
		got = append(got, n.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the notifier got %q, want %q", got, want)
	}
}

// A journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(text)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// counts is a collector that adds up.
type counts struct {
	mu  sync.Mutex
	sum map[monitor.Metric]map[string]int64
}

func (c *counts) Record(_ context.Context, m monitor.Measurement) {
	d := m.Metric.Description()
	if d.Attribute == "" && m.Attribute != "" || d.Values != nil && !slices.Contains(d.Values, m.Attribute) {
		panic(fmt.Sprintf("%s is recorded for %q", m.Metric, m.Attribute))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sum == nil {
		c.sum = map[monitor.Metric]map[string]int64{}
	}
	if c.sum[m.Metric] == nil {
		c.sum[m.Metric] = map[string]int64{}
	}
	c.sum[m.Metric][m.Attribute] += m.Value
}

func (c *counts) want(t *testing.T, metric monitor.Metric, attribute string, want int64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.sum[metric][attribute]; got != want {
		t.Errorf("%v of %s = %d, want %d", metric, attribute, got, want)
	}
}

// stored returns the occurrences of an organization that are stored.
func stored(t *testing.T, s driver.Store, organization string) (n int64) {
	t.Helper()
	for q := (alerting.Query{Organization: organization, Limit: alerting.MaxLimit}); ; {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		for _, a := range page {
			n += a.Occurrences
			q.After = alerting.Cursor(a)
		}
		if len(page) < q.Limit {
			return n
		}
	}
}

// wantComponent expects that a component of the manager has a status and says this.
func wantComponent(t *testing.T, m *alerting.Manager, name string, want monitor.HealthStatus, text string) {
	t.Helper()
	for _, c := range m.Health(t.Context()) {
		if c.Name == name {
			if c.Status != want || !strings.Contains(c.Message, text) {
				t.Errorf("health is %+v, want %v and that it says %q", c, want, text)
			}
			return
		}
	}
	t.Errorf("no component is named %q", name)
}
