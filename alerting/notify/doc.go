// Package notify is what the destinations of notifications have in common. Each
// of them is a package of its own below this one, with a Notifier that is an
// [alerting.Notifier]:
//
//   - webhook: signed JSON to a server of the host's (Standard Webhooks)
//   - ntfy: push messages, in the form of the reference
//   - email: SMTP
//   - slack: an incoming webhook
//   - pagerduty: Events API v2
//   - alertmanager: the API v2 of Prometheus Alertmanager
//   - lognotify: a slog.Logger
//
// A destination is the Notifier of an [alerting.Route]. Where people look at what is
// open (pagerduty, alertmanager) the route has the reasons of [alerting.Reasons], so
// that the end of an alert gets there too.
//
// A notification may come late, and more than once. Every destination takes the
// status of the alert that it comes with for the truth, whatever its reason was,
// so that the last one leaves it right.
//
// # What goes out
//
// Destinations connect to public addresses only, unless [Transport] allows more,
// follow no redirect and send no secret over plain http to another machine. What
// comes from an event is escaped for the format of the destination and limited in
// length. A [Secret], the path of a URL and what a server answered appear in no
// error.
//
// # Another destination
//
// A host writes its own with [Client], which posts and turns the answer into an
// [alerting.DeliveryError], and [Templates], and proves it with
// notifytest.RunHTTP.
package notify
