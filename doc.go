// Package auditwarden is a library that a service embeds to watch its own audit
// trail in real time.
//
// Who did what to which resource, from where, with what outcome: each event is
// checked for tampering, run through streaming detectors, and turned into
// deduplicated alerts with a lifecycle. It works in the process of the service,
// with nothing installed; with Redis and PostgreSQL behind it, many instances of
// the service act as one.
//
// The packages, in the order in which a service meets them:
//
//   - monitor has the vocabulary ([monitor.Event], [monitor.Finding],
//     [monitor.Alert]), the ports, and the Monitor that joins them.
//   - crypto signs events where they are made and verifies them where they
//     arrive.
//   - monitor/detect finds patterns: the five of the reference, and those that a
//     service composes itself. It also replays history, to try thresholds.
//   - alerting keeps one alert an incident, from the first occurrence until
//     somebody resolves it, and tells those who should know. memalerts keeps
//     alerts in memory, pgalerts in PostgreSQL. alerting/notify has the
//     destinations.
//   - metrics counts; memmetrics counts in memory, redismetrics over instances.
//   - rediswindow, below monitor/detect, has windows that instances share;
//     redisclaim, below alerting, which alerts they have opened.
//   - logging has handlers for log/slog that redact secrets; tracing has the
//     tracer that does nothing.
//   - monitor/monitortest, alerting/alertingtest and metrics/metricstest are for
//     tests: of services that embed a monitor, and of other implementations.
//
// This package has no code. Its examples wire everything together.
//
// [monitor.Event]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Event
// [monitor.Finding]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Finding
// [monitor.Alert]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor#Alert
package auditwarden
