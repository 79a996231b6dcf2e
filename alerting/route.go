package alerting

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Route hands notifications to a notifier. A notification takes every route whose
// conditions it meets. Its routes are chosen when an instance that has routes sees
// it first.
type Route struct {
	// Name identifies the route in the outbox, metrics, health and errors. It must
	// be unique and not empty. It must stay the same over restarts and instances,
	// since what waits on a route that does not exist any more is not delivered.
	Name string
	// MinSeverity is the lowest severity that the alert may have.
	MinSeverity monitor.Severity
	// Organizations and Rules are those whose alerts take the route. None means
	// all.
	Organizations []string
	Rules         []string
	// Reasons are the reasons for which notifications take the route. Defaults to
	// opened, repeated and escalated; [Reasons] returns all. An escalation that
	// names the route takes it whatever the reasons are.
	Reasons []Reason
	// Notifier delivers. It must return when its context ends.
	Notifier Notifier
	// Timeout is how long a delivery may take. Defaults to 10 seconds.
	Timeout time.Duration
	// Concurrency is the number of simultaneous deliveries of an instance. Those
	// of one alert are never simultaneous. Defaults to 4.
	Concurrency int
	// ExpireAfter is the age at which a notification becomes a dead letter if its
	// delivery fails. A notification that is older when its routes are chosen does
	// not take this one. Defaults to 24 hours.
	ExpireAfter time.Duration
}

// withDefaults fills in what was left out.
func (r Route) withDefaults() Route {
	r.Timeout = cmp.Or(r.Timeout, 10*time.Second)
	r.Concurrency = cmp.Or(r.Concurrency, 4)
	r.ExpireAfter = cmp.Or(r.ExpireAfter, 24*time.Hour)
	if len(r.Reasons) == 0 {
		r.Reasons = []Reason{ReasonOpened, ReasonRepeated, ReasonEscalated}
	}
	return r
}

// checkRoutes returns everything that is wrong with the routes.
func checkRoutes(routes []Route) error {
	var errs []error
	seen := map[string]bool{}
	for i, r := range routes {
		if r.Name == "" {
			errs = append(errs, invalid("Routes", "number %d has no name", i))
		} else if seen[r.Name] {
			errs = append(errs, invalid("Routes", "two are named %q", r.Name))
		}
		seen[r.Name] = true
		errs = append(errs, checkText("Routes", r.Name, maxName))
		if r.Notifier == nil {
			errs = append(errs, invalid("Routes", "number %d has no notifier", i))
		}
		if r.Timeout < 0 {
			errs = append(errs, invalid("Routes", "number %d has a timeout of %v", i, r.Timeout))
		}
		if r.Concurrency < 0 {
			errs = append(errs, invalid("Routes", "number %d has a concurrency of %d", i, r.Concurrency))
		}
		if r.ExpireAfter < 0 {
			errs = append(errs, invalid("Routes", "number %d expires after %v", i, r.ExpireAfter))
		}
		for _, reason := range r.Reasons {
			if !slices.Contains(Reasons(), reason) {
				errs = append(errs, invalid("Routes", "number %d has the reason %.40q", i, reason))
			}
		}
	}
	return errors.Join(errs...)
}
