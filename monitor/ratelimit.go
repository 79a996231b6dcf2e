package monitor

import (
	"sync"
	"time"
)

// A rateLimit caps how many occurrences of failed verification are stored in a
// second, per verdict. The further ones are aggregated: they are added to the
// next that is stored, and what is left is stored by a flush.
type rateLimit struct {
	rate      int64 // occurrences a second
	mu        sync.Mutex
	byVerdict [len(verdictNames)]struct {
		second, taken int64
		aggregate     *Occurrence // the first one, with the count of all
	}
}

// take returns how many occurrences the one at hand stands for, 0 if it is over
// the rate.
func (l *rateLimit) take(v Verdict, now time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.byVerdict[v]
	if second := now.Unix(); c.second != second {
		c.second, c.taken = second, 0
	}
	if c.taken >= l.rate {
		return 0
	}
	c.taken++
	n := int64(1)
	if c.aggregate != nil {
		n += c.aggregate.Count
		c.aggregate = nil
	}
	return n
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
		first := *o
		first.Count = 0
		c.aggregate = &first
	}
	c.aggregate.Count += n
}

// rest takes what is aggregated, by verdict.
func (l *rateLimit) rest() (verdicts []Verdict, os []*Occurrence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.byVerdict {
		if c := &l.byVerdict[i]; c.aggregate != nil {
			verdicts, os = append(verdicts, Verdict(i)), append(os, c.aggregate)
			c.aggregate = nil
		}
	}
	return verdicts, os
}
