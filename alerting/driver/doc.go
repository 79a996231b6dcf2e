// Package driver is for the authors of backends that store alerts. A backend
// implements [Store], and users hand it to alerting.NewManager.
//
// The manager validates what its users pass, holds back repeats, delivers
// notifications, and wraps and traces what a store returns. A store keeps alerts,
// decides atomically what becomes of an occurrence, and has the outbox. It decides
// by the rules in this package, so that all stores agree:
//
//   - [Open] and [Join] apply an occurrence to an alert, [ChangeStatus] a change of
//     status.
//   - A [Policy] is made of an organization's settings. It says whether an
//     occurrence is due for notification, and a [Timer] and a [Tick] say when an
//     alert is to be escalated or resolved.
//   - [OccurrenceNotification], [ChangeNotification] and [EscalationNotification]
//     give a notification its key, and [RoutesOf] its routes.
//   - [Matches], [ParseCursor] and [Newest] answer queries, [NewStatistics] and
//     [CountAlerts] and [CountTrends] summaries.
//
// Package memalerts is the shortest example. alertingtest.RunStore tests whether a
// store keeps the promises that [Store] makes.
package driver
