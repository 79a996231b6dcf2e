package logging

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"
)

// DroppedKey is the key of the attribute that says how many records were dropped
// before the one that has it.
const DroppedKey = "dropped"

// SamplingOptions are the options of [NewSamplingHandler]. The zero value of a
// field is its documented default.
type SamplingOptions struct {
	// Interval is how long records count as repeated, by their times. Defaults
	// to 1 second.
	Interval time.Duration
	// First is the number of records of one level and message that pass in an
	// interval. Defaults to 10.
	First int
	// Thereafter makes every so many-th of the further ones pass. Defaults to
	// 100; -1 lets none pass.
	Thereafter int
}

// sampledMessages bounds the number of messages that are told apart in an
// interval. All further ones count as one.
const sampledMessages = 1024

// A SamplingHandler drops most of the records that repeat a message. It is safe
// for concurrent use.
type SamplingHandler struct {
	next    slog.Handler
	sampler *sampler // shared with derived handlers
}

// NewSamplingHandler returns a handler that hands to next the first records of a
// level and message in an interval, and few of the others. The next record that
// passes, of whatever message, has the number of those dropped since the last in
// the attribute [DroppedKey]. The memory for this does not grow with the number
// of different messages. Options may be nil.
func NewSamplingHandler(next slog.Handler, options *SamplingOptions) *SamplingHandler {
	s := &sampler{seed: maphash.MakeSeed(), counts: make(map[uint64]int)}
	if options != nil {
		s.options = *options
	}
	if s.options.Interval == 0 {
		s.options.Interval = time.Second
	}
	if s.options.First == 0 {
		s.options.First = 10
	}
	if s.options.Thereafter == 0 {
		s.options.Thereafter = 100
	}
	return &SamplingHandler{next: next, sampler: s}
}

// Dropped returns the number of records that were dropped so far, by this
// handler and those derived from the same.
func (h *SamplingHandler) Dropped() uint64 {
	h.sampler.mu.Lock()
	defer h.sampler.mu.Unlock()
	return h.sampler.dropped
}

// Enabled asks the next handler.
func (h *SamplingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs returns a handler that samples together with h.
func (h *SamplingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &SamplingHandler{next: h.next.WithAttrs(attrs), sampler: h.sampler}
}

// WithGroup returns a handler that samples together with h.
func (h *SamplingHandler) WithGroup(name string) slog.Handler {
	return &SamplingHandler{next: h.next.WithGroup(name), sampler: h.sampler}
}

// Handle hands the record to the next handler or drops it.
func (h *SamplingHandler) Handle(ctx context.Context, r slog.Record) error {
	pass, dropped := h.sampler.sample(&r)
	if !pass {
		return nil
	}
	if dropped > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Uint64(DroppedKey, dropped))
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

// sample counts the record. If it passes, it also returns the number of records
// dropped that no other has reported.
func (s *sampler) sample(r *slog.Record) (pass bool, dropped uint64) {
	key := maphash.String(s.seed, r.Message) + uint64(r.Level)
	s.mu.Lock()
	defer s.mu.Unlock()
	// A record that is a little older than the interval is one that another
	// overtook; one that is much older shows that the clock was set back.
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
