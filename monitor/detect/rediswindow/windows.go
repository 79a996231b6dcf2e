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
	// Fail returns an error for every event that a rule counts.
	Fail Policy = iota
	// Local judges events by what this instance sees, and brings them to Redis
	// later.
	Local
)

var policyNames = [...]string{"fail", "local"}

// String returns fail or local.
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return "unknown"
}

// Options are the settings of [Windows]. The zero value of each is its default.
type Options struct {
	// Prefix tells services that share a Redis apart; instances of one service
	// have the same. It must not contain braces. Default: auditwarden:windows.
	Prefix string
	// Retention is how long a window is kept beyond the time that its rule needs
	// it for, by the clock. With [Local] its events are as well, by their own
	// time, and absences of Redis up to that long are made up for. Default: one
	// hour. At most 10 years.
	Retention time.Duration
	// OnUnavailable says what happens while Redis is unavailable. Default: [Fail].
	OnUnavailable Policy
	// MaxLocal bounds the events that are kept while Redis is unavailable. Beyond it
	// there are errors as with Fail. Default: 100,000.
	MaxLocal int
	// RetryAfter is how long Redis is left alone after a failure, with Local.
	// Default: one second.
	RetryAfter time.Duration
}

// Windows are [detect.Windows] in Redis. They are a [monitor.HealthReporter], by
// which an engine reports its health, and safe for concurrent use.
type Windows struct {
	local  bool // OnUnavailable is Local
	redis  exchanger
	calls  monitor.HealthTracker
	outage outage
}

// New returns windows in Redis. Nil options are the defaults. It does not
// connect to Redis. The error names the option that is wrong.
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
	case o.OnUnavailable > Local:
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

// Health tells how the calls to Redis end. With [Local] it is WARNING while events
// are judged locally or are still to be brought to Redis, and CRITICAL when there
// are too many of them.
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
