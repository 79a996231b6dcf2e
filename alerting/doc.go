// Package alerting turns occurrences into alerts that people can work with: they
// are stored, found, acknowledged, resolved, counted and notified.
//
// A [Manager] is what an application holds. It keeps alerts in a store, which is
// made by memalerts.New, pgalerts.New or another implementation of driver.Store.
//
//	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
//		Routes: []alerting.Route{{Name: "pager", MinSeverity: monitor.SeverityHigh, Notifier: pager}},
//	})
//	m, err := monitor.New(monitor.Config{Verifier: verifier, Detectors: rules, Alerts: alerts})
//
// There is at most one open alert for an organization and fingerprint. However many
// events qualify, and however many instances report them, each event is counted in
// it once. After an alert was resolved or dismissed, the next qualifying event opens
// a new one. Every operation is about one organization, unless it says otherwise;
// the alerts of another organization do not exist for it ([monitor.ErrNotFound]).
//
// # Lifecycle
//
//	active -> acknowledged -> resolved | dismissed
//	active ------------------> resolved | dismissed
//	resolved | dismissed ----> active (reopened)
//
// Everything else is a [TransitionError]. Each step leaves a [Change] in the alert's
// history, and so does the opening.
//
// # Notification
//
// The first occurrence of an alert is due for notification. A further one is due if
// its event's time is at least the cooldown (5 minutes by default) after that of the
// occurrence that was due last. A late event, older than that, never is. During a
// [Suppression] notifications are held back and the alert is kept; the first
// occurrence after it is due again. All of this goes by event time, so that replayed
// history behaves as it did live. A change of status is due for notification, too,
// and so is an [Escalation], if nobody has acknowledged the alert in time.
//
// The store writes a [Notification] into its outbox together with what makes it due.
// From there it is delivered on each [Route] that it takes, at least once, in order
// per alert, by any of the instances that share the store, with a key by which a
// destination can recognize a repetition. What cannot be delivered becomes a dead
// letter, which can be looked at and redriven. Package notify has destinations.
package alerting
