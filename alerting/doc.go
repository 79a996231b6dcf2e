// Package alerting turns occurrences into alerts that people can work with: it
// says how alerts are stored, found, acknowledged, resolved, counted and
// notified.
//
// A [Store] keeps the alerts. One incident is one open alert: however many
// events qualify, and however many instances report them, there is exactly one
// open alert for an organization and fingerprint, and each event is counted in
// it once. Resolving or dismissing an alert ends its incident; the next
// qualifying event opens a new one. Every operation is scoped by organization;
// another tenant's alert does not exist for it ([monitor.ErrNotFound]).
//
// A [Manager] stands in front of a store. It is what a host passes as
// [monitor.Config] Alerts: it saves the store from writing every repeat of a
// storm by itself, and it delivers the notifications in the store's [Outbox] on
// its [Route] values.
//
//	store := memalerts.New(nil)
//	alerts, err := alerting.NewManager(store, &alerting.ManagerOptions{
//		Routes: []alerting.Route{{Name: "pager", MinSeverity: monitor.SeverityHigh, Notifier: pager}},
//	})
//	m, err := monitor.New(monitor.Config{Verifier: verifier, Detectors: rules, Alerts: alerts})
//
// # Lifecycle
//
//	active -> acknowledged -> resolved | dismissed
//	active ------------------> resolved | dismissed
//	resolved | dismissed ----> active (reopened)
//
// Everything else is a [TransitionError]. Each step leaves a [Change] in the
// alert's history, the opening too.
//
// # Notification
//
// The first occurrence of an alert is due for notification. A further one is
// due when its event's time is at least the cooldown (5 minutes by default)
// after that of the occurrence that was notified last; a late event, older than
// that, never is. During a suppression window notifications are held back and
// the alert is kept; the first occurrence after the window is due again. All of
// this goes by event time, so that replayed history behaves as it did live.
// [Policy] is the decision itself.
//
// A [Notification] that is due is written into the store's [Outbox] together with
// what makes it due: an occurrence, a change of status, or an [Escalation], which
// is due when nobody has acknowledged the alert in time. From there it is
// delivered at least once, by any of the instances that share the store, with a
// key by which a destination can tell a repetition. What cannot be delivered stays
// as a dead letter, to be looked at and redriven. Package notify has destinations.
//
// # Backends
//
// A backend implements [Store] on top of the rules in this package
// ([ValidateOccurrence], [Open], [Join], [ChangeStatus], [Policy], [Timer], [Query]) and
// proves itself with alertingtest.RunStore.
package alerting
