package monitor

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"
)

// A rateLimit caps how many occurrences of failed verification are stored in a
// second, per verdict. The further ones are aggregated: they are added to the
// next that is stored, and what is left is stored by a flush.
type rateLimit struct {
	rate      int64 // occurrences a second
	mu        sync.Mutex
	closed    bool // there will be no flush
	byVerdict [len(verdictNames)]struct {
		second, taken int64
		aggregate     *Occurrence // the first one, with the count of all
		flushing      *Occurrence // the aggregate that a flush is to store
	}
}

// take returns how many occurrences the one at hand stands for, 0 if it is over
// the rate, and when the first of the others was seen, if there are any.
func (l *rateLimit) take(v Verdict, now time.Time) (n int64, first time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.byVerdict[v]
	if second := now.Unix(); c.second != second {
		c.second, c.taken = second, 0
	}
	if c.taken >= l.rate && !l.closed {
		return 0, first
	}
	c.taken++
	n = 1
	if c.aggregate != nil {
		n, first = n+c.aggregate.Count, c.aggregate.FirstSeen
		c.aggregate = nil
	}
	return n, first
}

// add aggregates n occurrences.
func (l *rateLimit) add(v Verdict, o *Occurrence, n int64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.byVerdict[v]
	if c.aggregate == nil {
		first := *o // it outlives the event
		first.Finding, first.CorrelationID, first.Count = o.Finding.clone(), strings.Clone(o.CorrelationID), 0
		rand.Read(first.EventKey[:]) // the event itself may still come; never fails
		c.aggregate = &first
	}
	c.aggregate.Count += n
	if o.FirstSeen.Before(c.aggregate.FirstSeen) {
		c.aggregate.FirstSeen = o.FirstSeen
	}
	if o.LastSeen.After(c.aggregate.LastSeen) {
		c.aggregate.LastSeen = o.LastSeen
	}
}

// holds reports whether there is something for a flush to store.
func (l *rateLimit) holds() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.byVerdict {
		if c := &l.byVerdict[i]; c.aggregate != nil || c.flushing != nil {
			return true
		}
	}
	return false
}

// rest returns what a flush is to store, by verdict, until done is called for it.
// What could not be stored comes again as it was, in case that it was stored
// nevertheless; what was aggregated since comes after it.
func (l *rateLimit) rest() (verdicts []Verdict, os []*Occurrence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.byVerdict {
		c := &l.byVerdict[i]
		if c.flushing == nil {
			c.flushing, c.aggregate = c.aggregate, nil
		}
		if c.flushing != nil {
			verdicts, os = append(verdicts, Verdict(i)), append(os, c.flushing)
		}
	}
	return verdicts, os
}

// done ends what rest began.
func (l *rateLimit) done(v Verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byVerdict[v].flushing = nil
}

// close makes every further occurrence be stored by itself.
func (l *rateLimit) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
