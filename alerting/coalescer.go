package alerting

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/monitor"
)

// A coalescer buffers (holds) repeats of alerts that are known to be open, until its
// owner has stored them. It does no I/O. Organizations share its capacity fairly, for
// the repeats as well as for the alerts, see [fits].
type coalescer struct {
	capacity int
	full     chan struct{} // holds a token if much was buffered since the last flush
	flushes  monitor.HealthTracker
	seed     maphash.Seed

	mu      sync.Mutex
	active  bool
	tenants map[string]*tenant
	places  int // of the repeats that are buffered
	fresh   int // those of them since the last flush
	open    int // alerts that are known to be open
	epochs  epochs
	slab    []monitor.Disposition
}

// Epochs have a number for each of several groups of organizations. It is incremented
// when an alert of one of them may have been closed; what a call to the store found in
// an earlier epoch may be outdated.
type epochs [64]uint32

// A tenant is what is known of an organization.
type tenant struct {
	name string
	// open has the known open alerts. age removes those without recent repeats.
	open map[monitor.Fingerprint]*openAlert
	// held has the repeats that are not stored yet, also while they are being stored.
	held    held
	places  int  // of held
	dropped int  // repeats that were held before
	failing bool // its repeats could not be stored
}

type openAlert struct {
	id       string
	severity monitor.Severity // lower bound of the alert's severity
	used     bool             // since the last call of age
}

func newCoalescer(capacity int) *coalescer {
	return &coalescer{
		capacity: capacity,
		full:     make(chan struct{}, 1),
		seed:     maphash.MakeSeed(),
		tenants:  map[string]*tenant{},
	}
}

// activate starts or stops buffering.
func (c *coalescer) activate(active bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = active
	for i := range c.epochs {
		c.epochs[i]++
	}
	for _, t := range c.tenants {
		c.close(t)
	}
}

// hold buffers the repeats among the occurrences, and returns the others (rest) with
// their indexes (places). The dispositions are nil if nothing was buffered; otherwise
// those of the rest are not set. Buffering a repeat rarely allocates.
func (c *coalescer) hold(os []*monitor.Occurrence) (ds []monitor.Disposition, rest []*monitor.Occurrence, places []int, began epochs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active {
		return nil, os, nil, c.epochs
	}
	for i, o := range os {
		t, known := c.known(o)
		if known == nil || !c.add(t, o) {
			rest, places = append(rest, o), append(places, i)
			continue
		}
		if ds == nil {
			ds = c.dispositions(len(os))
		}
		known.used = true
		ds[i] = monitor.Disposition{AlertID: known.id, Stored: monitor.StoredRepeat}
	}
	if c.fresh > c.capacity/4 {
		select {
		case c.full <- struct{}{}:
		default:
		}
	}
	return ds, rest, places, c.epochs
}

// known returns the open alert that an occurrence repeats, or nil if the occurrence
// is more severe.
func (c *coalescer) known(o *monitor.Occurrence) (*tenant, *openAlert) {
	t := c.tenants[o.Finding.OrganizationID]
	if t == nil {
		return nil, nil
	}
	if known := t.open[o.Fingerprint]; known != nil && o.Finding.Severity <= known.severity {
		return t, known
	}
	return t, nil
}

// add buffers a repeat if there is room.
func (c *coalescer) add(t *tenant, o *monitor.Occurrence) bool {
	n := placesOf(o)
	if !fits(n, t.places, c.places, c.capacity) {
		return false
	}
	t.places += n
	c.places += n
	c.fresh += n
	t.held.add(o)
	return true
}

// unknown returns the keys of the occurrences whose alerts are not known to be open.
func (c *coalescer) unknown(os []*monitor.Occurrence) (unknown map[claims.AlertKey]bool, began epochs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range os {
		key := keyOf(o)
		if t := c.tenants[key.Organization]; c.active && (t == nil || t.open[key.Fingerprint] == nil) {
			if unknown == nil {
				unknown = map[claims.AlertKey]bool{}
			}
			unknown[key] = true
		}
	}
	return unknown, c.epochs
}

// dispositions returns a slice of length n. It is cut from a slab that is never
// reused, so that the caller may keep it.
func (c *coalescer) dispositions(n int) []monitor.Disposition {
	const slab = 64
	if len(c.slab) < n {
		c.slab = make([]monitor.Disposition, max(n, slab))
	}
	ds := c.slab[:n:n]
	c.slab = c.slab[n:]
	return ds
}

// learn records the alerts that a call to the store, which began in these epochs, found
// open. The dispositions may be nil.
func (c *coalescer) learn(began *epochs, os []*monitor.Occurrence, ds []monitor.Disposition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, d := range ds {
		if d.Stored == monitor.StoredNew || d.Stored == monitor.StoredRepeat {
			c.remember(began, claims.Claim{AlertKey: keyOf(os[i]), AlertID: d.AlertID, Severity: os[i].Finding.Severity})
		}
	}
}

// believe records the alerts of claims that were read in these epochs.
func (c *coalescer) believe(began *epochs, found []claims.Claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, claim := range found {
		c.remember(began, claim)
	}
}

// remember records an open alert. The caller holds the mutex.
func (c *coalescer) remember(began *epochs, open claims.Claim) {
	if group := c.group(open.Organization); !c.active || c.epochs[group] != began[group] {
		return
	}
	t := c.tenants[open.Organization]
	if t == nil {
		t = &tenant{name: strings.Clone(open.Organization), open: map[monitor.Fingerprint]*openAlert{}}
	}
	known := t.open[open.Fingerprint]
	switch {
	case known != nil && known.id == open.AlertID:
		known.severity = max(known.severity, open.Severity)
		return
	case known == nil && !fits(1, len(t.open), c.open, c.capacity):
		return
	case known == nil:
		c.open++
	}
	t.open[open.Fingerprint] = &openAlert{id: open.AlertID, severity: open.Severity, used: true}
	c.tenants[t.name] = t
}

func (c *coalescer) group(organization string) int {
	return int(maphash.String(c.seed, organization) % uint64(len(c.epochs)))
}

// age removes the alerts that had no repeat since the previous call of age.
func (c *coalescer) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tenants {
		for fingerprint, known := range t.open {
			if !known.used {
				delete(t.open, fingerprint)
				c.open--
			}
			known.used = false
		}
		c.tidy(t)
	}
}

// forget removes the alerts of an organization, so that their next occurrences go to
// the store.
func (c *coalescer) forget(organization string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epochs[c.group(organization)]++
	if t := c.tenants[organization]; t != nil {
		c.close(t)
	}
}

// close removes the alerts of an organization.
func (c *coalescer) close(t *tenant) {
	c.open -= len(t.open)
	clear(t.open)
	c.tidy(t)
}

// tidy removes an organization of which nothing is known.
func (c *coalescer) tidy(t *tenant) {
	if len(t.open) == 0 && len(t.held.occurrences) == 0 {
		delete(c.tenants, t.name)
	}
}

// A load is repeats of one organization that are to be stored, oldest first. They stay
// buffered until they are passed to done.
type load struct {
	tenant  *tenant
	first   int // the number of the first repeat among all that the organization has had
	repeats []*monitor.Occurrence
}

// begin begins a flush, and returns what is buffered. The loads of failing
// organizations are apart from the others.
func (c *coalescer) begin() (loads, failing []load) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh = 0
	for _, t := range c.tenants {
		switch l := t.load(); {
		case len(l.repeats) == 0:
		case t.failing:
			failing = append(failing, l)
		default:
			loads = append(loads, l)
		}
	}
	return loads, failing
}

// of returns what is buffered for an organization, also what a flush is storing.
func (c *coalescer) of(organization string) (loads []load) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tenants[organization]; t != nil && len(t.held.occurrences) > 0 {
		loads = append(loads, t.load())
	}
	return loads
}

func (t *tenant) load() load {
	l := load{tenant: t, first: t.dropped}
	for i := range t.held.occurrences {
		l.repeats = append(l.repeats, &t.held.occurrences[i])
	}
	return l
}

// part returns the part of a load from one index to another.
func (l load) part(from, to int) load {
	return load{tenant: l.tenant, first: l.first + from, repeats: l.repeats[from:to]}
}

// done removes the first n repeats of a load from the buffer. It leaves them if older
// ones are not stored yet; storing them again does no harm.
func (c *coalescer) done(l load, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := l.tenant
	n += l.first - t.dropped
	if l.first > t.dropped || n <= 0 {
		return
	}
	for i := range n {
		places := placesOf(&t.held.occurrences[i])
		t.places -= places
		c.places -= places
	}
	t.held.drop(n)
	t.dropped += n
	t.failing = false
	c.tidy(t)
}

// size returns the number of repeats that are buffered.
func (c *coalescer) size() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tenants {
		n += len(t.held.occurrences)
	}
	return n
}

// fail records that a load could not be stored.
func (c *coalescer) fail(l load) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.tenant.failing = true
}

// now returns the current epochs.
func (c *coalescer) now() epochs {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epochs
}
