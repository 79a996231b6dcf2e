// Package rediswindow keeps the windows of detection rules in Redis, so that all
// instances of a service together find what one instance would find with all the
// events.
//
//	windows, err := rediswindow.New(client, nil)
//	...
//	engine, err := detect.New(&detect.Options{Windows: windows})
//
// A call to the engine, for one event or for a batch, makes one round trip. Redis
// changes a window in one step, so that of two instances one always sees the event
// of the other.
//
// # Guarantees
//
// An event with an ID is in a window once, no matter which instances deliver it, how
// often, and which replies get lost. An event without an ID counts as another event
// for each instance and after each restart.
//
// A window holds as many events as the cap of the rule allows. The oldest are dropped
// first, and findings say so. A window expires when no event has been added to it for
// the length of the rule's window, plus twice the lateness, plus
// [Options.Retention]. This is measured by the clock: an event that waits somewhere
// for longer is judged without the events that did not wait. The watermarks of the
// instances should not differ by more than the lateness. The number of windows in
// Redis is limited only by their expiry and by the memory limit of Redis. If Redis
// refuses to write because of that limit (policy noeviction), the following section
// applies.
//
// # When Redis is unavailable
//
// With [Local], which is the default, the instance goes on by itself. It judges events
// by those that it has seen since, so that counts in findings are lower bounds, and
// keeps these events up to a limit, at which further ones fail. When Redis is
// available again, every call that counts events brings up to 1,024 of the kept
// events to Redis, and what qualifies because of them is found then. Findings may
// come twice. They are about the same events, which a store counts once. Events that
// are kept are lost when the process ends. On a Cluster, all events are judged
// locally while one node is unavailable.
//
// With [Fail] the engine returns an error, and the caller or the workers of the
// monitor try the event again: nothing is found late, and the events wait meanwhile,
// in the monitor's queue or in the caller's.
//
// # Redis
//
// The package is tested with Redis 7, standalone and as a Cluster. A window is one
// key, which consists of the prefix and, in braces, a digest of the rule, the
// organization and the group. On a Cluster every window has a call of its own in the
// pipeline; elsewhere all windows of a batch have one call. No command scans or
// blocks. The client and its time-outs belong to the application. A call takes as long
// as they allow: with those of the client by default, and its retries, a Redis that
// hangs holds up each caller for many seconds before Local goes on without it. Half a
// second and no retries are enough; examples/service has the settings.
package rediswindow
