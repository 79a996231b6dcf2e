package alerting

import (
	"slices"
	"sync"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/monitor"
)

// A coalescer buffers (holds) repeats of alerts that are known to be open. It does no
// I/O; its owner flushes the buffer.
type coalescer struct {
	capacity int
	full     chan struct{} // holds a token if more than half of the capacity is used
	flushes  monitor.HealthTracker

	mu     sync.Mutex
	active bool
	// open has the known open alerts. age removes those without recent repeats.
	open map[claims.AlertKey]*openAlert
	// epoch is incremented when an alert may have been closed. What a call to the
	// store found in an earlier epoch may be outdated.
	epoch int
	// held has the repeats that are buffered. taken is the number of those that are
	// being flushed, and spare has the memory of an earlier batch for reuse.
	held, spare batch
	taken       int
	slab        []monitor.Disposition
}

// A batch has copies of occurrences, in memory that is reused.
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

// emptied returns an empty batch that reuses the memory.
func (b batch) emptied() batch { return batch{b.occurrences[:0], b.references[:0]} }

type openAlert struct {
	id       string
	severity monitor.Severity // lower bound of the alert's severity
	used     bool             // since the last call of age
}

func newCoalescer(capacity int) *coalescer {
	return &coalescer{
		capacity: capacity,
		full:     make(chan struct{}, 1),
		open:     map[claims.AlertKey]*openAlert{},
	}
}

// activate starts or stops buffering.
func (c *coalescer) activate(active bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = active
	c.epoch++
	clear(c.open)
}

// hold buffers the repeats among the occurrences, and returns the others (rest) with
// their indexes (places). The dispositions are nil if nothing was buffered; otherwise
// those of the rest are not set. Buffering a repeat does not allocate.
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

// unknown returns the keys of the occurrences whose alerts are not known to be open.
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

// known returns the open alert that an occurrence repeats, or nil if the occurrence
// is more severe.
func (c *coalescer) known(o *monitor.Occurrence) *openAlert {
	if known := c.open[keyOf(o)]; known != nil && o.Finding.Severity <= known.severity {
		return known
	}
	return nil
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

// learn records the alerts that a call to the store, started in epoch, found open.
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

// believe records the alerts of claims that were read in epoch.
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

// remember records an open alert. The caller holds the mutex.
func (c *coalescer) remember(open claims.Claim) {
	known := c.open[open.AlertKey]
	switch {
	case known != nil && known.id == open.AlertID:
		known.severity = max(known.severity, open.Severity)
	case known != nil || len(c.open) < c.capacity:
		c.open[open.AlertKey] = &openAlert{id: open.AlertID, severity: open.Severity, used: true}
	}
}

// age removes the alerts that had no repeat since the previous call of age.
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

// forget removes all alerts, so that their next occurrences go to the store.
func (c *coalescer) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.open)
}

// take removes and returns the buffered repeats. The caller must pass them to done.
func (c *coalescer) take() (b batch, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b = c.held
	c.held, c.spare, c.taken = c.spare, batch{}, len(b.occurrences)
	return b, c.epoch
}

// done ends the flush of a batch. If it failed, the batch is buffered again.
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
