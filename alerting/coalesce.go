package alerting

import (
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/monitor"
)

// A coalescer holds back repeats of alerts that are known to be open. It does no
// I/O; its owner flushes what it holds.
type coalescer struct {
	capacity int
	full     chan struct{} // holds a token if half of the capacity was used

	mu     sync.Mutex
	active bool
	// open are the alerts that were seen open lately, see age.
	open map[Incident]*openAlert
	// epoch changes when an alert may have been closed: what a call to the
	// store learned before is of no use after.
	epoch int
	// held are the repeats to be flushed, taken how many are being flushed,
	// spare the memory of a batch that was.
	held, spare batch
	taken       int
	slab        []monitor.Disposition
	failure     error // of the last flush
}

// A batch holds copies of occurrences in memory that can be used again.
type batch struct {
	alerts     []monitor.Alert
	references []monitor.EventRef // of all their findings
}

func (b *batch) add(a *monitor.Alert) {
	n := len(b.references)
	b.references = append(b.references, a.Finding.References...)
	b.alerts = append(b.alerts, *a)
	b.alerts[len(b.alerts)-1].Finding.References = slices.Clip(b.references[n:])
}

// emptied returns the batch's memory.
func (b batch) emptied() batch { return batch{b.alerts[:0], b.references[:0]} }

func incidentOf(a *monitor.Alert) Incident { return Incident{a.OrganizationID, a.Fingerprint} }

type openAlert struct {
	id       string
	severity monitor.Severity // the alert's is at least this
	used     bool             // since age was called
}

func newCoalescer(capacity int) *coalescer {
	return &coalescer{
		capacity: capacity,
		full:     make(chan struct{}, 1),
		open:     map[Incident]*openAlert{},
	}
}

// activate makes the coalescer hold repeats, or no longer.
func (c *coalescer) activate(active bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = active
	c.epoch++
	clear(c.open)
}

// hold takes over the repeats among the occurrences and returns the others with
// their places. The dispositions have room for all, and are nil if no occurrence
// was taken. A repeat that is held costs no allocation.
func (c *coalescer) hold(as []*monitor.Alert) (ds []monitor.Disposition, rest []*monitor.Alert, places []int, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active {
		return nil, as, nil, c.epoch
	}
	for i, a := range as {
		known := c.known(a)
		if known == nil || len(c.held.alerts)+c.taken >= c.capacity {
			rest, places = append(rest, a), append(places, i)
			continue
		}
		if ds == nil {
			ds = c.dispositions(len(as))
		}
		known.used = true
		c.held.add(a)
		ds[i] = monitor.Disposition{AlertID: known.id, Stored: monitor.StoredRepeat}
	}
	if len(c.held.alerts) > c.capacity/2 && c.failure == nil {
		select {
		case c.full <- struct{}{}:
		default:
		}
	}
	return ds, rest, places, c.epoch
}

// unknown returns the incidents of occurrences that would not be held, and could
// be if their alerts were known to be open.
func (c *coalescer) unknown(as []*monitor.Alert) (unknown map[Incident]bool, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range as {
		if c.active && repeatable(a) && c.open[incidentOf(a)] == nil {
			if unknown == nil {
				unknown = map[Incident]bool{}
			}
			unknown[incidentOf(a)] = true
		}
	}
	return unknown, c.epoch
}

// repeatable reports whether an occurrence changes nothing of an open alert but
// its count and times, if it is not more severe.
func repeatable(a *monitor.Alert) bool {
	return ValidateOccurrence(a) == nil && a.Tags == nil && a.Metadata == nil
}

// known returns the open alert that the occurrence repeats and changes in nothing
// but its count and times.
func (c *coalescer) known(a *monitor.Alert) *openAlert {
	if !repeatable(a) {
		return nil
	}
	if known := c.open[incidentOf(a)]; known != nil && a.Severity <= known.severity {
		return known
	}
	return nil
}

// dispositions returns room for n. It comes out of a slab that is never reused,
// so that the caller may keep it.
func (c *coalescer) dispositions(n int) []monitor.Disposition {
	const slab = 64
	if len(c.slab) < n {
		c.slab = make([]monitor.Disposition, max(n, slab))
	}
	ds := c.slab[:n:n]
	c.slab = c.slab[n:]
	return ds
}

// learn remembers the alerts that a call to the store, begun in that epoch, found
// open.
func (c *coalescer) learn(epoch int, as []*monitor.Alert, ds []monitor.Disposition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active || c.epoch != epoch {
		return
	}
	for i, a := range as {
		if ds[i].Stored == monitor.StoredNew || ds[i].Stored == monitor.StoredRepeat {
			c.remember(Claim{incidentOf(a), ds[i].AlertID, a.Severity})
		}
	}
}

// believe remembers the alerts that are claimed to be open, in that epoch.
func (c *coalescer) believe(epoch int, claims []Claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active || c.epoch != epoch {
		return
	}
	for _, claim := range claims {
		c.remember(claim)
	}
}

// remember remembers an open alert. The caller holds the mutex.
func (c *coalescer) remember(open Claim) {
	known := c.open[open.Incident]
	switch {
	case known != nil && known.id == open.AlertID:
		known.severity = max(known.severity, open.Severity)
	case known != nil || len(c.open) < c.capacity:
		c.open[open.Incident] = &openAlert{id: open.AlertID, severity: open.Severity, used: true}
	}
}

// age forgets the alerts that were not seen since age was called before.
func (c *coalescer) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, known := range c.open {
		if !known.used {
			delete(c.open, key)
		}
		known.used = false
	}
}

// forget makes the next occurrence of every alert go to the store.
func (c *coalescer) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.open)
}

// take hands out what is held, to be given back with done.
func (c *coalescer) take() (b batch, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b = c.held
	c.held, c.spare, c.taken = c.spare, batch{}, len(b.alerts)
	return b, c.epoch
}

// done says how the flush of a batch ended. After an error the batch is held
// again.
func (c *coalescer) done(b batch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken, c.failure = 0, err
	if err != nil {
		c.held.alerts = append(b.alerts, c.held.alerts...)
	} else {
		c.spare = b.emptied()
	}
}

// state returns the number of occurrences held and the error of the last flush.
func (c *coalescer) state() (held int, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held.alerts) + c.taken, c.failure
}
