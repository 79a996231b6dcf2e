package rediswindow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A Policy says what happens while Redis is unavailable.
type Policy uint8

const (
	// Local judges events by what this instance sees, and brings them to Redis
	// later.
	Local Policy = iota
	// Fail returns an error for every event that a rule counts.
	Fail
)

var policyNames = [...]string{"local", "fail"}

// String returns local or fail.
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return "unknown"
}

// Options configure [Windows]. The zero value of a field stands for its documented
// default.
type Options struct {
	// Prefix begins the keys. Services that share a Redis have different prefixes,
	// and instances of one service have the same. It must not contain braces.
	// Defaults to "auditwarden:windows".
	Prefix string
	// Retention is how long a window is kept after its rule has ceased to need it,
	// measured by the clock. With [Local] its events are kept as much longer,
	// measured by their timestamps, so that instances can catch up after Redis was
	// unavailable for up to that long. Defaults to one hour, at most 10 years.
	Retention time.Duration
	// OnUnavailable says what happens while Redis is unavailable. Defaults to
	// [Local].
	OnUnavailable Policy
	// MaxLocal is the number of events that are kept with Local while Redis is
	// unavailable, of which an organization may have as many as it leaves free for
	// others. Further events fail. Defaults to 100,000.
	MaxLocal int
	// RetryAfter is the pause between two attempts to reach Redis with Local while
	// it is unavailable. Defaults to one second.
	RetryAfter time.Duration
}

// Windows are [detect.Windows] in Redis. They are also a [monitor.HealthReporter],
// which the engine asks for its health. They are safe for concurrent use.
type Windows struct {
	local  bool // OnUnavailable is Local
	redis  exchanger
	calls  monitor.HealthTracker
	outage outage
}

// New returns windows in Redis. Nil options stand for the defaults. New does not
// connect to Redis. An error names the option that is wrong.
func New(client redis.UniversalClient, options *Options) (*Windows, error) {
	if client == nil {
		return nil, errors.New("rediswindow: new windows: client is nil")
	}
	var o Options
	if options != nil {
		o = *options
	}
	o.Prefix = cmp.Or(o.Prefix, "auditwarden:windows")
	o.Retention = cmp.Or(o.Retention, time.Hour)
	o.MaxLocal = cmp.Or(o.MaxLocal, 100_000)
	o.RetryAfter = cmp.Or(o.RetryAfter, time.Second)
	switch {
	case strings.ContainsAny(o.Prefix, "{}"):
		return nil, fmt.Errorf("rediswindow: new windows: Prefix %q contains braces", o.Prefix)
	case o.Retention < 0 || o.Retention > 10*365*24*time.Hour:
		return nil, fmt.Errorf("rediswindow: new windows: Retention %v is not from 0 to 10 years", o.Retention)
	case o.OnUnavailable > Fail:
		return nil, fmt.Errorf("rediswindow: new windows: OnUnavailable %d is no policy", o.OnUnavailable)
	case o.MaxLocal < 0:
		return nil, fmt.Errorf("rediswindow: new windows: MaxLocal %d is negative", o.MaxLocal)
	case o.RetryAfter < 0:
		return nil, fmt.Errorf("rediswindow: new windows: RetryAfter %v is negative", o.RetryAfter)
	}
	w := &Windows{
		local:  o.OnUnavailable == Local,
		redis:  exchanger{client: client, prefix: o.Prefix, retention: o.Retention},
		outage: outage{maxLocal: o.MaxLocal, retryAfter: o.RetryAfter},
	}
	if w.local {
		// Another instance may still have events that Redis has missed: what has
		// to do with them stays.
		w.redis.late = o.Retention
	}
	return w, nil
}

// Exchange implements [detect.Windows].
func (w *Windows) Exchange(ctx context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	if !w.local {
		return w.ask(ctx, requests)
	}
	earlier, unavailable := w.outage.begin(w.calls.Err())
	if unavailable == nil {
		// On a server that has all windows the earlier events must come first.
		var answers []detect.WindowAnswer
		answers, unavailable = w.ask(ctx, slices.Concat(earlier, requests))
		if unavailable == nil {
			return slices.Concat(answers[len(earlier):], answers[:len(earlier)]), nil
		}
		w.outage.putBack(earlier)
		if ctx.Err() != nil {
			return nil, unavailable
		}
	}
	return w.outage.exchange(requests, unavailable)
}

// ask exchanges windows with Redis.
func (w *Windows) ask(ctx context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	answers, err := w.redis.exchange(ctx, requests)
	w.calls.Note(ctx, err)
	return answers, err
}

// Health reports whether calls to Redis succeed. With [Local] the status is WARNING
// while events are judged locally or still have to be brought to Redis, and CRITICAL
// if there are too many of them.
func (w *Windows) Health(context.Context) []monitor.ComponentHealth {
	h := w.calls.Health("rediswindow")
	events, full := w.outage.state()
	local := fmt.Sprintf("%d events judged locally", events)
	switch unavailable := h.Status != monitor.HealthOK; {
	case !w.local:
	case unavailable && full:
		h.Status = monitor.HealthCritical
	case unavailable:
		h.Status, h.Message = monitor.HealthWarning, local+", "+h.Message
	case events > 0:
		h.Status, h.Message = monitor.HealthWarning, local
	}
	return []monitor.ComponentHealth{h}
}
