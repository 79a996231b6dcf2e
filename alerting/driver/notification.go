package driver

import (
	"slices"
	"strconv"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// OccurrenceNotification returns the key and the reason of the notification that an
// occurrence causes. First is set for the first one of the alert, which says that the
// alert was opened, even if a suppression held back what the opening caused.
func OccurrenceNotification(
	alertID string, occurrence monitor.EventKey, first bool,
) (key string, r alerting.Reason) {
	r = alerting.ReasonRepeated
	if first {
		r = alerting.ReasonOpened
	}
	return alertID + "/" + occurrence.String(), r
}

// OpeningNotification returns the key and the reason of the first notification of an
// alert when no occurrence causes it: it was held back.
func OpeningNotification(alertID string) (key string, r alerting.Reason) {
	return alertID + "/opened", alerting.ReasonOpened
}

// ChangeNotification returns the key and the reason of a change's notification.
func ChangeNotification(alertID string, c *alerting.Change) (key string, r alerting.Reason) {
	switch c.To {
	case monitor.AlertAcknowledged:
		r = alerting.ReasonAcknowledged
	case monitor.AlertResolved:
		r = alerting.ReasonResolved
	case monitor.AlertDismissed:
		r = alerting.ReasonDismissed
	case monitor.AlertActive:
		r = alerting.ReasonReopened
	}
	return alertID + "/version-" + strconv.FormatInt(c.Version, 10), r
}

// EscalationNotification returns the key and the reason of an escalation's
// notification. Version and step are those of the [Timer] in the [Tick].
func EscalationNotification(alertID string, version int64, step int) (key string, r alerting.Reason) {
	return alertID + "/version-" + strconv.FormatInt(version, 10) + "/step-" + strconv.Itoa(step), alerting.ReasonEscalated
}

// UnroutedExpiry is how long a notification waits for somebody to claim it on a route.
// It is longer than any deployment should be without an instance that has routes.
const UnroutedExpiry = 7 * 24 * time.Hour

// Reasons for dropping a notification: the keys of [alerting.Backlog] Dropped.
const (
	// DroppedTooOld means that a notification did not take a route because it was
	// older than the route's ExpireAfter, which counts once per route, or that no
	// route has taken it for [UnroutedExpiry].
	DroppedTooOld = "too_old"
	// DroppedNoSuchRoute means that a target of an escalation does not exist or does
	// not accept the alert. It counts once per target.
	DroppedNoSuchRoute = "no_such_route"
	// DroppedTooMany means that the store removed a notification to keep a limit.
	DroppedTooMany = "too_many"
)

// RoutesOf returns the names of the routes that a notification takes. For each route
// or target that it misses for one of the reasons above, it increments dropped.
//
// A notification takes the routes whose MinSeverity, Organizations and Rules its
// alert satisfies. Of these, it takes those that its Targets name or, without
// targets, those whose Reasons contain its reason.
func RoutesOf(n *alerting.Notification, routes []alerting.Route, now time.Time, dropped map[string]int64) (names []string) {
	targets := n.Targets
	for i := range routes {
		r := &routes[i]
		if !takes(r, n) {
			continue
		}
		targets = slices.DeleteFunc(slices.Clone(targets), func(target string) bool { return target == r.Name })
		if now.Sub(n.CreatedAt) >= r.ExpireAfter {
			dropped[DroppedTooOld]++
			continue
		}
		names = append(names, r.Name)
	}
	if len(targets) > 0 {
		dropped[DroppedNoSuchRoute] += int64(len(targets))
	}
	return names
}

func takes(r *alerting.Route, n *alerting.Notification) bool {
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

// among reports whether v is in the list or the list is empty.
func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
