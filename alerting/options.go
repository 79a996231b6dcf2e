package alerting

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/monitor"
)

// ManagerOptions change what a [Manager] does. The zero value of a field is its
// documented default.
type ManagerOptions struct {
	// CoalesceInterval is how long a repeat of an open alert may be buffered while
	// Run is active. Defaults to 1 second; -1 buffers nothing.
	CoalesceInterval time.Duration
	// MaxBuffered is the number of repeats that may be buffered; further ones are
	// stored at once. Each takes up to 2 kB. Defaults to 10,000.
	MaxBuffered int
	// Claims tell which alerts other instances have opened, so that this one need
	// not ask the store. They are not used if nothing is buffered. Defaults to
	// none.
	Claims claims.Set
	// Routes say which notifier gets which notifications. Instances that share a
	// store must have the same, except that some may have none: these leave the
	// notifications to the others. Defaults to none.
	Routes []Route
	// PollInterval is how often the store is asked for notifications that other
	// instances have written, and for timers that are due. Defaults to 1 second.
	PollInterval time.Duration

	// Metrics measures deliveries, and what a flush finds out: alerts that repeats
	// open, and notifications that a suppression window holds back. Defaults to
	// nothing.
	Metrics monitor.MetricsCollector
	// Tracer is told of operations and deliveries. Defaults to nothing.
	Tracer Tracer
	// Logger takes the log lines about what fails in the background. Defaults to
	// none.
	Logger *slog.Logger
}

// check returns everything that is wrong with the options.
func (o *ManagerOptions) check() error {
	errs := []error{checkRoutes(o.Routes)}
	if o.CoalesceInterval < -1 {
		errs = append(errs, invalid("CoalesceInterval", "%v is negative", o.CoalesceInterval))
	}
	if o.MaxBuffered < 0 {
		errs = append(errs, invalid("MaxBuffered", "%d is negative", o.MaxBuffered))
	}
	if o.PollInterval < 0 {
		errs = append(errs, invalid("PollInterval", "%v is negative", o.PollInterval))
	}
	return errors.Join(errs...)
}

// withDefaults fills in what was left out.
func (o ManagerOptions) withDefaults() ManagerOptions {
	o.CoalesceInterval = cmp.Or(o.CoalesceInterval, time.Second)
	o.MaxBuffered = cmp.Or(o.MaxBuffered, 10_000)
	o.PollInterval = cmp.Or(o.PollInterval, time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Routes = slices.Clone(o.Routes)
	for i, r := range o.Routes {
		o.Routes[i] = r.withDefaults()
	}
	return o
}
