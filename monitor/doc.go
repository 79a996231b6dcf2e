// Package monitor watches an audit trail in real time. It verifies every event,
// has detectors judge it, and turns what they find into alerts. It runs in the
// process that embeds it.
//
// # How an event is processed
//
// [Monitor.Process] takes an event through three stages. Admission validates the
// event, verifies its signature and looks for a duplicate. Detection hands it to
// every [Detector]. Raising stores each [Finding] as an [Occurrence] of an alert.
// The [Result] tells what became of the event, and its State what the caller has
// to do next:
//
//	the event                               what happens                               State
//	is accepted                             its findings are stored                    StateDone
//	fails verification                      CRITICAL alert for the operator            StateDone
//	is delivered a second time              it is counted                              StateDone
//	comes again after RedeliveryHorizon     alert of the rule "replayed"               StateDone
//	has the ID of a different event         alert of the rule "conflicting"            StateDone
//	is invalid                              the error names the field                  StateRejected
//	cannot be verified now                  the quarantine keeps it, or the caller     StateQuarantined, StateRetry
//	meets a detector or store that fails    a retry goes on where it stopped           StateRetry
//
// Process works in the goroutine of its caller and needs nothing else. For a
// caller that must not wait, [Monitor.Submit] puts the event into a bounded queue.
// [Monitor.Run] works on the queue and owns all goroutines of the library. A
// consumer of a message queue calls [Monitor.ProcessBatch] and, before it
// acknowledges the messages, [Monitor.Flush].
//
// # Ports
//
// An application composes a monitor from small interfaces, which are all in this
// package: a [Verifier] (see package crypto), [Detector] values (package detect),
// an [AlertStorer] (package alerting), a [MetricsCollector] (package metrics) and
// a [Tracer]. Verifiers, detectors, stores and collectors have an implementation
// in memory that is fit for production, and a test suite that every
// implementation passes.
//
// # Time
//
// Detection goes by the timestamps of events, not by the time at which they
// arrive. Each organization has a watermark: the newest timestamp that was
// accepted from it, rounded down to a 64th of [Config.Lateness]. An event that is
// behind the watermark by no more than Lateness is counted in its place, as if it
// had arrived in order. The clock is only used to keep out events that claim to
// be from the future.
//
// # Guarantees
//
// When Process returns without an error, the first occurrence of every alert that
// the event raised is in the store. Every event that Submit accepted is handled,
// or returned by [Monitor.Shutdown]. Everything that is dropped, evicted,
// aggregated or expired is counted by a [Metric].
package monitor
