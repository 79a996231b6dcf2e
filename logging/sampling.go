package logging

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"
)

// SamplingOptions are the options of [NewSamplingHandler]. A field with its zero
// value has the documented default.
type SamplingOptions struct {
	// Interval is the time after which counting starts again, measured by the
	// timestamps of the records. Defaults to 1 s.
	Interval time.Duration
	// First is the number of records with the same level and message that pass in
	// each interval. Defaults to 10.
	First int
	// Thereafter determines how many of the further records pass: 100 means every
	// hundredth. Defaults to 100; -1 means none.
	Thereafter int
}

// sampledMessages is how many messages are distinguished in an interval. All
// others count as one message.
const sampledMessages = 1024

// A SamplingHandler drops most repeated records. It is safe for concurrent use.
type SamplingHandler struct {
	next    slog.Handler
	sampler *sampler // shared with derived handlers
}

// NewSamplingHandler returns a handler that passes the first records with the same
// level and message in each interval to next, and drops most of the others. The
// next record that passes, whatever its message is, gets the attribute "dropped"
// with the number of records that were dropped since the last such report. The
// handler distinguishes up to 1,024 messages per interval and counts all further
// ones together. If options is nil, the defaults apply.
func NewSamplingHandler(next slog.Handler, options *SamplingOptions) *SamplingHandler {
	o := *cmp.Or(options, &SamplingOptions{})
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.First = cmp.Or(o.First, 10)
	o.Thereafter = cmp.Or(o.Thereafter, 100)
	s := &sampler{options: o, seed: maphash.MakeSeed(), counts: make(map[uint64]int)}
	return &SamplingHandler{next: next, sampler: s}
}

// Dropped returns the number of records that were dropped so far by this handler
// and by all handlers that share its counts through WithAttrs and WithGroup.
func (h *SamplingHandler) Dropped() uint64 {
	h.sampler.mu.Lock()
	defer h.sampler.mu.Unlock()
	return h.sampler.dropped
}

// Enabled reports whether the next handler is enabled for the level.
func (h *SamplingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs returns a handler with these attributes that shares the counts of h.
func (h *SamplingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &SamplingHandler{next: h.next.WithAttrs(attrs), sampler: h.sampler}
}

// WithGroup returns a handler with this group that shares the counts of h.
func (h *SamplingHandler) WithGroup(name string) slog.Handler {
	return &SamplingHandler{next: h.next.WithGroup(name), sampler: h.sampler}
}

// Handle passes the record to the next handler, or drops it.
func (h *SamplingHandler) Handle(ctx context.Context, r slog.Record) error {
	pass, dropped := h.sampler.sample(&r)
	if !pass {
		return nil
	}
	if dropped > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Uint64("dropped", dropped))
	}
	return h.next.Handle(ctx, r)
}

// sampler decides which records pass.
type sampler struct {
	options SamplingOptions
	seed    maphash.Seed

	mu       sync.Mutex
	start    time.Time      // of the interval
	counts   map[uint64]int // records in the interval, by hash of level and message
	dropped  uint64
	reported uint64 // of those dropped
}

// sample counts the record. If it passes, sample also returns the number of
// dropped records that no other record has reported.
func (s *sampler) sample(r *slog.Record) (pass bool, dropped uint64) {
	key := maphash.String(s.seed, r.Message) + uint64(r.Level)
	s.mu.Lock()
	defer s.mu.Unlock()
	// A record that is a little older than the interval was overtaken by another
	// one; a much older one means that the clock was set back.
	if age := r.Time.Sub(s.start); !r.Time.IsZero() && age.Abs() >= s.options.Interval {
		s.start = r.Time
		clear(s.counts)
	}
	if _, known := s.counts[key]; !known && len(s.counts) >= sampledMessages {
		key = 0
	}
	s.counts[key]++
	if over := s.counts[key] - s.options.First; over > 0 && (s.options.Thereafter < 0 || over%s.options.Thereafter != 0) {
		s.dropped++
		return false, 0
	}
	dropped = s.dropped - s.reported
	s.reported = s.dropped
	return true, dropped
}
