package redismetrics

import (
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/metrics"
)

// A Counter counts something of the host's. It is safe for concurrent use.
type Counter struct{ n atomic.Int64 }

// Add adds n.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// A Gauge is a state of this instance. It is safe for concurrent use.
type Gauge struct{ n atomic.Int64 }

// Set sets the state.
func (g *Gauge) Set(n int64) { g.n.Store(n) }

// A Histogram counts how long something of the host's took and how often it
// failed: requests to an endpoint, operations on a store. It takes 15 KB and is
// safe for concurrent use.
type Histogram struct {
	durations metrics.Histogram
	failed    atomic.Int64
}

// Observe counts the duration of something that succeeded.
func (h *Histogram) Observe(d time.Duration) { h.durations.Observe(d) }

// Fail counts the duration of something that failed.
func (h *Histogram) Fail(d time.Duration) {
	h.durations.Observe(d)
	h.failed.Add(1)
}

// Counter returns the counter of that name with those labels, in that order. It
// is made at the first call; later ones do not allocate. A family of one name
// has at most [metrics.MaxAttributes] series over all instances: the rest are
// counted in one more, which has the label [metrics.OtherAttribute]. The number
// of names is bounded in the same way. Counter, Gauge and Histogram have names
// of their own.
func (c *Collector) Counter(name string, labels ...Label) *Counter {
	return c.counters.get(name, labels)
}

// Gauge returns the gauge of that name with those labels; see
// [Collector.Counter].
func (c *Collector) Gauge(name string, labels ...Label) *Gauge {
	return c.gauges.get(name, labels)
}

// Histogram returns the histogram of that name with those labels; see
// [Collector.Counter].
func (c *Collector) Histogram(name string, labels ...Label) *Histogram {
	return c.histograms.get(name, labels)
}

// A registry keeps the series of one kind by name and labels.
type registry[T any] struct {
	mu       sync.RWMutex
	families map[string]map[string]*T
}

func (r *registry[T]) get(name string, labels []Label) *T {
	var space [128]byte
	text := appendLabels(space[:0], labels)
	r.mu.RLock()
	s := r.families[name][string(text)]
	r.mu.RUnlock()
	if s == nil {
		s = r.learn(name, string(text))
	}
	return s
}

// learn adds a series, or finds the one for all others when there are too many.
func (r *registry[T]) learn(name, labels string) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.families == nil {
		r.families = map[string]map[string]*T{}
	}
	family, ok := r.families[name]
	if !ok {
		if len(r.families) >= metrics.MaxAttributes {
			name = metrics.OtherAttribute
		}
		if family = r.families[name]; family == nil {
			family = map[string]*T{}
			r.families[strings.Clone(name)] = family
		}
	}
	if _, ok := family[labels]; !ok && len(family) >= metrics.MaxAttributes {
		labels = metrics.OtherAttribute
	}
	s := family[labels]
	if s == nil {
		s = new(T)
		family[labels] = s
	}
	return s
}

// all yields the families by name, each by labels. Nobody can add a series
// meanwhile.
func (r *registry[T]) all() iter.Seq2[string, map[string]*T] {
	return func(yield func(string, map[string]*T) bool) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		for name, family := range r.families {
			if !yield(name, family) {
				return
			}
		}
	}
}
