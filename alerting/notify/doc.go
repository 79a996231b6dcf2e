// Package notify contains the code that the destinations of notifications share.
// Each destination has its own package, with a type Notifier that is an
// [alerting.Notifier]:
//
//   - webhook: signed JSON to your own server (Standard Webhooks)
//   - ntfy: push messages
//   - email: SMTP
//   - slack: an incoming webhook
//   - teams: a workflow of Microsoft Teams
//   - pagerduty: Events API v2
//   - alertmanager: the API v2 of Prometheus Alertmanager
//   - lognotify: a slog.Logger
//
// Use a destination as the Notifier of an [alerting.Route]. PagerDuty and
// Alertmanager show which alerts are open. Give a route to them all of
// [alerting.Reasons], so that they are also notified when an alert is closed.
//
// A notification may arrive late and more than once. Every destination shows the
// alert's status in the notification and not only the reason, so that it shows the
// right status after the last notification.
//
// # Security
//
// Destinations only connect to public addresses, unless [Transport] allows others.
// They do not follow redirects, and do not send secrets over plain HTTP to another
// machine. They escape text from events for their format and limit its length.
// Errors contain no [Secret] and no path of a URL, and of a server's response only its
// [Reason] for refusing a notification. Their text, which a tenant may see, contains no
// address and no name of a host.
//
// # Texts
//
// Each destination has texts of its own. To change them, set its option Text to a
// [TextFunc]: a function in Go, or one that package notifytemplate makes of templates
// of text/template.
//
// # Other destinations
//
// To write another destination, use [Client], which posts a request and converts
// the response to an [alerting.DeliveryError], and [TextFunc]. Test the destination
// with notifytest.RunHTTP.
package notify
