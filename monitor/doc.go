// Package monitor watches an audit trail: every event is verified, judged by
// detectors and turned into alerts, in the process that makes the events.
//
// # The way of an event
//
// [Monitor.Process] validates an event, verifies its signature, looks it up
// among the known ones, has every detector judge it and stores the findings as
// alerts. What fails on the way decides where it ends:
//
//	not a valid event            -> *InvalidEventError
//	verification failed          -> a CRITICAL alert for the operator; no detector sees it
//	verification cannot decide   -> quarantine, verified again later; or ErrUndecided
//	the same event again         -> counted; an alert if it comes after the redelivery horizon
//	another event with its ID    -> an alert
//	a detector or the store down -> an error: try again, it goes on where it stopped
//
// Process works in the caller's goroutine and needs nothing else. For work that
// must not wait, [Monitor.Submit] puts the event into a bounded queue, and
// [Monitor.Run] owns everything that happens in the background.
//
// # The ports
//
// A host composes a monitor from small interfaces, all in this package: a
// [Verifier] (package crypto), [Detector]s (package detect), an [AlertStorer]
// (package alerting), a [MetricsCollector] (package metrics), a [Tracer]. Each
// has an implementation in memory that is good enough to ship, and a suite that
// every implementation passes.
//
// # Time
//
// Detection goes by the timestamps of the events. Each organization has a
// watermark, the newest timestamp accepted from it; an event that lies behind it
// by no more than [Config.Lateness] is counted in its place, as if it had come
// in order. The clock only keeps events out that claim to be from the future.
//
// # What is promised
//
// An alert whose first occurrence Process has handled without an error is in the
// store. Every event that Submit took is handled, or handed back by
// [Monitor.Shutdown]. Whatever is dropped, folded, evicted or given up is
// counted in a [Metric].
package monitor
