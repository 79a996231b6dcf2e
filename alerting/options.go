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

// ManagerOptions configure a [Manager]. The zero value of a field is its documented
// default.
type ManagerOptions struct {
	// CoalesceInterval is how long a repeat of an open alert may be buffered while
	// Run is active. Defaults to 1 second; -1 disables buffering.
	CoalesceInterval time.Duration
	// MaxBuffered is the largest number of buffered repeats, and of alerts that are
	// known to be open. A repeat counts once for each 8 KiB, or a part of it, of its
	// strings and references. One organization has at most half of it, and several
	// share it equally. Further repeats are stored at once. Defaults to 10,000.
	MaxBuffered int
	// Claims are shared by instances, so that one can buffer repeats of alerts that
	// another one opened without asking the store. They are unused if buffering is
	// disabled. Defaults to none.
	Claims claims.Set
	// Routes are the destinations of notifications. All instances that share a store
	// must have the same routes, except that some may have none; those leave delivery
	// to the others, and log once if notifications have waited for 5 minutes. Defaults
	// to none.
	Routes []Route
	// Rules are the names of the detection rules. SaveSettings refuses settings that name
	// another, except for silences of the monitor's own rules. Defaults to none, with
	// which the names are not checked.
	Rules []string
	// PollInterval is how often Run asks the store for due timers and for
	// notifications that other instances have created. Defaults to 1 second.
	PollInterval time.Duration

	// Metrics receives the metrics of deliveries and timers, and those of buffered
	// repeats that open an alert or are suppressed. Defaults to none.
	Metrics monitor.MetricsCollector
	// Tracer traces operations and deliveries. Defaults to none.
	Tracer Tracer
	// Logger receives log records about failures in the background. Defaults to none.
	Logger *slog.Logger
}

// check returns an error about every invalid option.
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

// withDefaults sets the fields that have a zero value.
func (o ManagerOptions) withDefaults() ManagerOptions {
	o.CoalesceInterval = cmp.Or(o.CoalesceInterval, time.Second)
	o.MaxBuffered = cmp.Or(o.MaxBuffered, 10_000)
	o.PollInterval = cmp.Or(o.PollInterval, time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Rules = slices.Clone(o.Rules)
	o.Routes = slices.Clone(o.Routes)
	for i, r := range o.Routes {
		o.Routes[i] = r.withDefaults()
	}
	return o
}
