package alerting

import (
	"errors"

	"github.com/auditwarden/auditwarden/monitor"
)

// A Route hands the alerts that are due for notification to a handler, if they
// satisfy each of its fields. An alert takes every route that it matches.
type Route struct {
	// Name names the route in metrics, health and errors. It must be unique
	// and not empty.
	Name string
	// MinSeverity is the lowest severity that the alert may have.
	MinSeverity monitor.Severity
	// Organizations and Rules are those that take the route; none means all.
	Organizations []string
	Rules         []string
	// Handler is given a copy of the alert as it stands in the store. It may be
	// given the same notification again after an error. It has 10 seconds.
	Handler monitor.AlertHandler
}

func (r *Route) matches(a *monitor.Alert) bool {
	return a.Severity >= r.MinSeverity &&
		among(r.Organizations, a.OrganizationID) &&
		among(r.Rules, a.Finding.Rule)
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
		if r.Handler == nil {
			errs = append(errs, invalid("Routes", "number %d has no handler", i))
		}
	}
	return errors.Join(errs...)
}
