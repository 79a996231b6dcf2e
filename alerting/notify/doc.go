// Package notify has what the destinations of notifications share. Each
// destination is a package below this one, with a Notifier that is an
// [alerting.Notifier]:
//
//   - webhook: signed JSON to a server of your own (Standard Webhooks)
//   - ntfy: push messages
//   - email: SMTP
//   - slack: an incoming webhook
//   - pagerduty: Events API v2
//   - alertmanager: the API v2 of Prometheus Alertmanager
//   - lognotify: a slog.Logger
//
// A destination becomes the Notifier of an [alerting.Route]. pagerduty and
// alertmanager show which alerts are open; a route to them should have the reasons
// of [alerting.Reasons], so that they also hear of the end of an alert.
//
// A notification may arrive late and more than once. Every destination shows the
// status of the alert in the notification, whatever the reason of the notification
// is, so that after the last one it shows the right status.
//
// # Security
//
// Destinations connect only to public addresses, unless [Transport] allows more.
// They follow no redirects and send no secret over plain http to another machine.
// Text from an event is escaped for the format of the destination and limited in
// length. Errors contain no [Secret], no path of a URL and nothing of a server's
// response.
//
// # Other destinations
//
// To write another destination, use [Client], which posts a request and turns the
// response into an [alerting.DeliveryError], and [Templates], and test it with
// notifytest.RunHTTP.
package notify
