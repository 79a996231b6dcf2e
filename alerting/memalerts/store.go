package memalerts

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options configure a [Store]. The zero value of a field is its documented default.
type Options struct {
	// MaxBytes limits the memory that alerts and notifications take, approximately.
	// Above it, the organization that uses most has to give up alerts: closed ones
	// first, in the order of MaxAlerts, and then the open ones that have been quiet
	// longest. Organizations with fewer than 16 occurrences, with which nobody has
	// worked yet, give first, unless they take less than a sixteenth of MaxBytes
	// together. Defaults to 512 MiB; -1 means no limit.
	MaxBytes int64
	// MaxAlerts is the number of alerts kept per organization. Opening one more
	// evicts the closed alert with the earliest CreatedAt. Only MaxBytes limits open
	// alerts. Defaults to 10,000; -1 means no limit.
	MaxAlerts int
	// MaxNotifications is the number of notifications, including dead letters, kept
	// per organization. Further ones replace the oldest. Defaults to 1,000.
	MaxNotifications int
	// Metrics receives the metric of evicted alerts. Defaults to none.
	Metrics monitor.MetricsCollector
}

// A Store is a [driver.Store] in memory. It is safe for concurrent use.
//
// Work on the alerts of one organization does not delay that on those of another.
type Store struct {
	limits   limits
	defaults *driver.Policy
	metrics  monitor.MetricsCollector // may be nil

	clock         clock
	notifications atomic.Int64 // so far
	registry      registry

	mu   sync.Mutex
	slab []monitor.Disposition
}

var (
	_ driver.Store           = (*Store)(nil)
	_ monitor.HealthReporter = (*Store)(nil)
)

// New returns an empty store. Options may be nil.
func New(options *Options) *Store {
	var o Options
	if options != nil {
		o = *options
	}
	if o.MaxBytes < 0 {
		o.MaxBytes = math.MaxInt64
	}
	return &Store{
		limits:   limits{cmp.Or(o.MaxAlerts, 10_000), cmp.Or(max(o.MaxNotifications, 0), 1000)},
		defaults: driver.DefaultPolicy(),
		metrics:  o.Metrics,
		registry: newRegistry(cmp.Or(o.MaxBytes, 512<<20)),
	}
}

// Evicted returns the number of alerts that were evicted, open ones and others.
func (s *Store) Evicted() (open, closed int64) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.registry.lost.open, s.registry.lost.closed
}

// hold returns an organization that nobody else can use until release, or nil if
// there is none with this name.
func (s *Store) hold(name string) *organization {
	for {
		org := s.registry.find(name)
		if org == nil || org.hold() {
			return org
		}
	}
}

// holdNew is hold for an organization that is created if necessary.
func (s *Store) holdNew(name string) *organization {
	for {
		org := s.registry.findOrAdd(name, func() *organization {
			return newOrganization(strings.Clone(name), s.defaults, s.limits, &s.notifications)
		})
		if org.hold() {
			return org
		}
	}
}

// release ends hold.
func (s *Store) release(ctx context.Context, org *organization) {
	org.tidy()
	open, closed := org.lost.open, org.lost.closed
	s.registry.update(org)
	org.mu.Unlock()
	s.count(ctx, "open", open)
	s.count(ctx, "closed", closed)
}

func (s *Store) count(ctx context.Context, status string, evicted int64) {
	if evicted > 0 && s.metrics != nil {
		s.metrics.Record(ctx, monitor.Measurement{Metric: monitor.AlertsEvicted, Value: evicted, Attribute: status})
	}
}

// makeRoom evicts alerts until the store keeps its limit.
func (s *Store) makeRoom(ctx context.Context) {
	for gave := true; gave; {
		name, bytes, over := s.registry.giver()
		if !over {
			return
		}
		org := s.hold(name)
		if org == nil {
			continue
		}
		gave = org.giveUp(bytes)
		s.release(ctx, org)
	}
}

// each yields one organization, if it exists, or all of them, and holds it meanwhile.
func (s *Store) each(ctx context.Context, name string) iter.Seq[*organization] {
	return func(yield func(*organization) bool) {
		for _, org := range s.registry.list(name) {
			if !org.hold() {
				continue
			}
			more := yield(org)
			s.release(ctx, org)
			if !more {
				return
			}
		}
	}
}

// holdAlert holds the organization of an alert, and returns both or a
// [monitor.ErrNotFound].
func (s *Store) holdAlert(ctx context.Context, ref monitor.AlertRef) (*organization, *record, error) {
	if org := s.hold(ref.Organization); org != nil {
		if rec := org.byID[ref.ID]; rec != nil {
			return org, rec, nil
		}
		s.release(ctx, org)
	}
	return nil, nil, fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}
