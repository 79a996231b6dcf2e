// Package alerting turns the occurrences that a monitor reports into alerts, which
// people can list, acknowledge and resolve, and notifies people of these alerts.
//
// An application creates a [Manager], which keeps the alerts in a store. The packages
// memalerts and pgalerts provide stores; any other driver.Store works, too.
//
//	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
//		Routes: []alerting.Route{{Name: "pager", MinSeverity: monitor.SeverityHigh, Notifier: pager}},
//	})
//	m, err := monitor.New(monitor.Config{Verifier: verifier, Detectors: rules, Alerts: alerts})
//
// An organization has at most one open alert per fingerprint, which counts each
// qualifying event once, however many instances report it. After an alert is closed,
// the next qualifying event opens a new one. Most operations are limited to one
// organization and return [monitor.ErrNotFound] for alerts of others.
//
// # Lifecycle
//
//	active -> acknowledged -> resolved | dismissed
//	active ------------------> resolved | dismissed
//	resolved | dismissed ----> active (reopened)
//
// Any other change of status fails with a [TransitionError]. The history of an alert
// has a [Change] for its opening and for each change of status.
//
// # Notification
//
// The first occurrence of an alert causes a notification. A later one does if its
// event is later, by at least the cooldown (5 minutes by default), than the last
// event that caused a notification; an event that arrives late thus causes none. An
// occurrence during a [Suppression] or [Silence] is stored, but causes no
// notification and starts no cooldown. All of this uses event time, so that replayed
// history has the same results as live events. When the suppression has ended by the
// store's clock, or was removed, Run notifies of the open alerts that it has held
// back. A change of status causes a notification, too, and so does an [Escalation],
// when nobody has acknowledged the alert in time.
//
// The store writes a [Notification] to its outbox in one step with the occurrence or
// change that causes it. One of the instances that share the store then delivers it
// at least once on every [Route] whose conditions it meets, in order per alert. A
// destination can detect duplicates by the notification's key. A notification that
// cannot be delivered becomes a dead letter, which can be listed and delivered again
// (redriven). Package notify has notifiers for common destinations.
package alerting
