package alerting

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Route hands notifications to a notifier, if the alert satisfies each of its
// fields. A notification takes every route that it matches.
type Route struct {
	// Name names the route in the outbox, metrics, health and errors. It must be
	// unique and not empty, and stay the same over restarts and instances: what
	// waits on a route that is gone is not delivered.
	Name string
	// MinSeverity is the lowest severity that the alert may have.
	MinSeverity monitor.Severity
	// Organizations and Rules are those that take the route; none means all.
	Organizations []string
	Rules         []string
	// Reasons are those that take the route. Defaults to opened, repeated and
	// escalated; [Reasons] has all. An escalation that names the route takes it
	// whatever they are.
	Reasons []Reason
	// Notifier delivers. It must respect its context.
	Notifier Notifier
	// Timeout is how long a delivery may take. Defaults to 10 seconds.
	Timeout time.Duration
	// Concurrency is the number of deliveries at a time, per instance. Those of
	// one alert follow each other. Defaults to 4.
	Concurrency int
}

func (r *Route) takes(n *Notification) bool {
	if n.Alert.Severity < r.MinSeverity ||
		!among(r.Organizations, n.Alert.OrganizationID) ||
		!among(r.Rules, n.Alert.Finding.Rule) {
		return false
	}
	if len(n.Targets) > 0 {
		return slices.Contains(n.Targets, r.Name)
	}
	return slices.Contains(r.Reasons, n.Reason)
}

// withDefaults fills in what was left out.
func (r Route) withDefaults() Route {
	r.Timeout = cmp.Or(r.Timeout, 10*time.Second)
	r.Concurrency = cmp.Or(r.Concurrency, 4)
	if len(r.Reasons) == 0 {
		r.Reasons = []Reason{ReasonOpened, ReasonRepeated, ReasonEscalated}
	}
	return r
}

// validateRoutes returns everything that is wrong with the routes.
func validateRoutes(routes []Route) error {
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
		for _, reason := range r.Reasons {
			if !slices.Contains(Reasons(), reason) {
				errs = append(errs, invalid("Routes", "number %d has the reason %.40q", i, reason))
			}
		}
	}
	return errors.Join(errs...)
}
