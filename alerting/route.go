package alerting

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Route delivers notifications to one destination. A notification takes every route
// whose conditions it meets. The first instance with routes that finds a new
// notification chooses its routes.
type Route struct {
	// Name identifies the route in the outbox, metrics, health and errors. It must be
	// unique and not empty, and the same in all instances and after a restart.
	// Notifications on a route that no longer exists are not delivered.
	Name string
	// MinSeverity is the lowest severity of the alerts that take the route.
	MinSeverity monitor.Severity
	// Organizations and Rules limit the route to alerts of these organizations and
	// rules. An empty list is no limit.
	Organizations []string
	Rules         []string
	// Reasons limits the route to notifications with these reasons. Defaults to
	// opened, repeated and escalated; [Reasons] returns all. An escalation that names
	// the route takes it whatever its Reasons are.
	Reasons []Reason
	// Notifier delivers the notifications. It must return when its context ends.
	Notifier Notifier
	// Timeout limits the duration of one attempt. Defaults to 10 seconds.
	Timeout time.Duration
	// Concurrency is the number of simultaneous deliveries per instance. At most half
	// of them, rounded up, are of one organization, and only one while its deliveries
	// fail. Those of one alert are never simultaneous. Defaults to 4.
	Concurrency int
	// ExpireAfter is the age at which a notification becomes a dead letter when an
	// attempt fails. A notification that is older when its routes are chosen does not
	// take the route. Defaults to 24 hours.
	ExpireAfter time.Duration
}

// withDefaults sets the fields that have a zero value.
func (r Route) withDefaults() Route {
	r.Timeout = cmp.Or(r.Timeout, 10*time.Second)
	r.Concurrency = cmp.Or(r.Concurrency, 4)
	r.ExpireAfter = cmp.Or(r.ExpireAfter, 24*time.Hour)
	if len(r.Reasons) == 0 {
		r.Reasons = []Reason{ReasonOpened, ReasonRepeated, ReasonEscalated}
	}
	return r
}

// checkRoutes returns an error about everything that is wrong with the routes.
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
