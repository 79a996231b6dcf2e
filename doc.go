// Package auditwarden is a library that a service embeds to watch its own audit
// trail in real time.
//
// An audit event says who did what to which resource, from where and with what
// outcome. The library checks each event for tampering, passes it to detectors, and
// turns what they find into deduplicated alerts that people acknowledge and
// resolve. It runs inside the service and needs no other program. With Redis and
// PostgreSQL, many instances of a service work as one.
//
// The packages are
//
//   - monitor: events, findings and alerts ([monitor.Event], [monitor.Finding],
//     [monitor.Alert]), the ports, and the Monitor that connects them
//   - crypto: signs events where they are made and verifies them where they arrive
//   - monitor/detect: finds patterns, those of its Modern rules, which are built in,
//     and those that a service defines itself, and replays history to try thresholds
//   - alerting: keeps one alert for each incident from the first occurrence until
//     it is resolved, and notifies people; memalerts keeps alerts in memory,
//     pgalerts in PostgreSQL, and alerting/notify has the destinations
//   - metrics: counts events, alerts and times; memmetrics counts in memory,
//     redismetrics over all instances
//   - monitor/detect/rediswindow and alerting/redisclaim: let instances share the
//     events in windows and the knowledge of open alerts, in Redis
//   - logging: handlers for log/slog that redact secrets
//   - monitor/monitortest, alerting/alertingtest and metrics/metricstest: help to
//     test services that embed a monitor, and other implementations of the ports
//
// This package has no code. Its examples show how the packages are connected.
//
// [monitor.Event]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Event
// [monitor.Finding]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Finding
// [monitor.Alert]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Alert
package auditwarden
