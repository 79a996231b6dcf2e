package alerting

import (
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/monitor"
)

// A coalescer holds back repeats of alerts that are known to be open. It does no
// I/O; its owner flushes what it holds.
type coalescer struct {
	capacity int
	full     chan struct{} // holds a token if half of the capacity was used
	flushes  monitor.HealthTracker

	mu     sync.Mutex
	active bool
	// open has the alerts that were seen open lately, see age.
	open map[claims.AlertKey]*openAlert
	// epoch changes when an alert may have been closed. What a call to the store
	// has learned in another epoch may be wrong.
	epoch int
	// held has the repeats that are to be flushed. taken is the number of those
	// that are being flushed, and spare is the memory of a batch that was.
	held, spare batch
	taken       int
	slab        []monitor.Disposition
}

// A batch holds copies of occurrences in memory that can be used again.
type batch struct {
	occurrences []monitor.Occurrence
	references  []monitor.EventRef // of all their findings
}

func (b *batch) add(o *monitor.Occurrence) {
	n := len(b.references)
	b.references = append(b.references, o.Finding.References...)
	b.occurrences = append(b.occurrences, *o)
	b.occurrences[len(b.occurrences)-1].Finding.References = slices.Clip(b.references[n:])
}

// emptied returns the batch's memory.
func (b batch) emptied() batch { return batch{b.occurrences[:0], b.references[:0]} }

type openAlert struct {
	id       string
	severity monitor.Severity // the alert's is at least this
	used     bool             // since age was called
}

func newCoalescer(capacity int) *coalescer {
	return &coalescer{
		capacity: capacity,
		full:     make(chan struct{}, 1),
		open:     map[claims.AlertKey]*openAlert{},
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

// hold takes over the repeats among the occurrences, and returns the others with
// their places. The dispositions have room for all occurrences. They are nil if
// none was taken over. A repeat that is taken over costs no allocation.
func (c *coalescer) hold(os []*monitor.Occurrence) (ds []monitor.Disposition, rest []*monitor.Occurrence, places []int, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active {
		return nil, os, nil, c.epoch
	}
	for i, o := range os {
		known := c.known(o)
		if known == nil || len(c.held.occurrences)+c.taken >= c.capacity {
			rest, places = append(rest, o), append(places, i)
			continue
		}
		if ds == nil {
			ds = c.dispositions(len(os))
		}
		known.used = true
		c.held.add(o)
		ds[i] = monitor.Disposition{AlertID: known.id, Stored: monitor.StoredRepeat}
	}
	if len(c.held.occurrences) > c.capacity/2 && c.flushes.Err() == nil {
		select {
		case c.full <- struct{}{}:
		default:
		}
	}
	return ds, rest, places, c.epoch
}

// unknown returns the keys of occurrences that hold does not take over, and would
// if their alerts were known to be open.
func (c *coalescer) unknown(os []*monitor.Occurrence) (unknown map[claims.AlertKey]bool, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range os {
		if key := keyOf(o); c.active && c.open[key] == nil {
			if unknown == nil {
				unknown = map[claims.AlertKey]bool{}
			}
			unknown[key] = true
		}
	}
	return unknown, c.epoch
}

// known returns the open alert that the occurrence repeats, unless the occurrence
// raises the alert's severity.
func (c *coalescer) known(o *monitor.Occurrence) *openAlert {
	if known := c.open[keyOf(o)]; known != nil && o.Finding.Severity <= known.severity {
		return known
	}
	return nil
}

// dispositions returns room for n. It comes from a slab that is never reused, so
// that the caller may keep it.
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
func (c *coalescer) learn(epoch int, os []*monitor.Occurrence, ds []monitor.Disposition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active || c.epoch != epoch {
		return
	}
	for i, o := range os {
		if ds[i].Stored == monitor.StoredNew || ds[i].Stored == monitor.StoredRepeat {
			c.remember(claims.Claim{AlertKey: keyOf(o), AlertID: ds[i].AlertID, Severity: o.Finding.Severity})
		}
	}
}

// believe remembers the alerts that are claimed to be open, in that epoch.
func (c *coalescer) believe(epoch int, found []claims.Claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.active || c.epoch != epoch {
		return
	}
	for _, claim := range found {
		c.remember(claim)
	}
}

// remember remembers an open alert. The caller holds the mutex.
func (c *coalescer) remember(open claims.Claim) {
	known := c.open[open.AlertKey]
	switch {
	case known != nil && known.id == open.AlertID:
		known.severity = max(known.severity, open.Severity)
	case known != nil || len(c.open) < c.capacity:
		c.open[open.AlertKey] = &openAlert{id: open.AlertID, severity: open.Severity, used: true}
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
	c.held, c.spare, c.taken = c.spare, batch{}, len(b.occurrences)
	return b, c.epoch
}

// done says how the flush of a batch ended. After an error the batch is held
// again.
func (c *coalescer) done(b batch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = 0
	if err != nil {
		c.held.occurrences = append(b.occurrences, c.held.occurrences...)
	} else {
		c.spare = b.emptied()
	}
}
