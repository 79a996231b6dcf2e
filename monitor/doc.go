// Package monitor watches an audit trail in real time. It verifies every event,
// passes it to detectors, and turns their findings into alerts. It runs inside the
// application's process.
//
// # How an event is processed
//
// [Monitor.Process] takes an event through three stages. Admission validates the
// event, verifies its signature and looks for a duplicate. Detection hands it to
// every [Detector]. Raising stores each [Finding] as an [Occurrence] of an alert.
// The [Result] reports what happened to the event. Its State says what the caller
// must do next:
//
//	the event                               what happens                                   State
//	is accepted                             its findings are stored                        StateDone
//	fails verification                      a CRITICAL alert is raised for the operator    StateDone
//	is delivered a second time              it is counted                                  StateDone
//	arrives again after RedeliveryHorizon   an alert of the rule "replayed" is raised      StateDone
//	has the ID of a different event         an alert of the rule "conflicting" is raised   StateDone
//	is invalid                              the error names the field                      StateRejected
//	cannot be verified now                  it is quarantined, or the caller retries       StateQuarantined, StateRetry
//	makes a detector or the store fail      a retry continues where it stopped             StateRetry
//
// Process runs in the caller's goroutine and needs no background work. For a
// caller that must not wait, [Monitor.Submit] puts the event into a bounded queue.
// [Monitor.Run] processes the queue and owns all goroutines of the library. A
// consumer of a message queue calls [Monitor.ProcessBatch] and, before it
// acknowledges the messages, [Monitor.Flush].
//
// # Ports
//
// An application composes a monitor from implementations of small interfaces,
// called ports, which are all in this package: a [Verifier] (see package crypto),
// [Detector] values (package detect), an [AlertStorer] (package alerting), a
// [MetricsCollector] (package metrics) and a [Tracer]. For verifiers, detectors,
// stores and collectors there is an in-memory implementation that is fit for
// production, and a test suite that every implementation passes.
//
// # Time
//
// Detection uses the timestamps of events, not the time at which they arrive. Each
// organization has a watermark: the newest timestamp that was accepted from it,
// but never later than the clock, rounded down to a multiple of Lateness/64 (see
// [Config.Lateness]). An event that is behind the watermark by no more than
// Lateness is counted at its own timestamp, as if it had arrived in order.
//
// So an event that arrives within Lateness is never too late, even if another of
// its organization is stamped by a clock that is ahead by up to
// [Config.MaxSkew]. Events that are further ahead do not count in windows. In a
// monitor of history, MaxSkew is -1: then the clock does not matter.
//
// What the monitor reports about an event that failed verification, was replayed
// or is conflicting has the time at which it found out, because the event's
// timestamp is chosen by whoever sent it.
//
// # Guarantees
//
// When Process returns without an error, every alert that the event opened is in
// the store. Every event that Submit accepted is handled, unless [QueueDropOldest]
// drops it or an [UnhandledError] returns it after a shutdown; of those that nobody
// can verify, what exceeds the quarantine by more than the queue holds is reported
// to the operator and given up. A [Metric] counts everything that is dropped,
// evicted, aggregated or expired.
//
// No event holds up those of other organizations. One that can never be handled is
// settled with an error that matches [ErrPermanent]. One that fails for now, or
// cannot be verified, stands aside and is tried again.
package monitor
