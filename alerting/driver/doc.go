// Package driver is for authors of backends that store alerts. A backend implements
// [Store], and users pass it to alerting.NewManager.
//
// The manager validates arguments, buffers repeats, delivers notifications, wraps
// errors and traces calls. A store keeps alerts and the outbox of notifications, and
// decides atomically how an occurrence is stored. It must base its decisions on this
// package, so that all stores decide alike:
//
//   - [Open], [Join] and [ChangeStatus] apply an occurrence or a change to an alert.
//   - A [Policy] is created from an organization's settings. It decides whether an
//     occurrence causes a notification. A [Timer] and a [Tick] say when to notify of an
//     alert that was held back, to escalate it or to resolve it.
//   - [OccurrenceNotification], [OpeningNotification], [ChangeNotification] and
//     [EscalationNotification] return the key of a notification, and [RoutesOf] returns its routes.
//   - [KeepsEvidence] limits the evidence of an alert.
//   - [EraseName] replaces a name in an alert and its history, and [NamesIn] finds it in
//     evidence.
//   - [Matches], [ParseCursor] and [Newest] implement queries; [NewStatistics],
//     [CountAlerts] and [CountTrends] implement statistics.
//
// Package memalerts is the shortest example. alertingtest.RunStore tests whether a
// store does what [Store] demands.
package driver
