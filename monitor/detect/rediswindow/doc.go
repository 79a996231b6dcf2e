// Package rediswindow keeps the windows of detection rules in Redis, so that all
// instances of a service find together what one instance with all the events
// would.
//
//	windows, err := rediswindow.New(client, nil)
//	...
//	engine, err := detect.New(&detect.Options{Windows: windows})
//
// An engine's call, for one event or a batch, is one round trip. What it does to
// a window is one step on the server, so that of two instances one always sees
// the event of the other.
//
// # Guarantees
//
// An event with an ID is in a window once, whoever delivers it how often, and
// whatever reply gets lost. An event without ID is another one for each
// instance, and for each process that is started.
//
// A window holds as many events as the rule's cap allows; the oldest go first,
// and findings say so. It expires when nothing was added for the rule's window,
// twice the lateness and [Options.Retention]. That is time of the clock: events
// that wait somewhere for longer than that are judged without those that did
// not. The watermarks of instances should not be further apart than the
// lateness. Redis has no bound on the number of windows but their expiry and its
// own memory limit; when that is reached, it refuses (with the policy
// noeviction) and the policy below applies.
//
// # When Redis is away
//
// With [Fail], which is the default, the engine returns an error, and the caller
// or the monitor's workers try the event again. With [Local] the instance goes on
// by itself: it judges events by those that it saw since, so that counts in
// findings are "at least", and keeps them, up to a bound. When Redis is back,
// the next events that a rule counts bring them to it, each up to 1,024, and
// what they qualify for is found then. Findings may come twice; they concern the
// same events, which a store counts once. Events that are kept are lost when the
// process ends. On a Cluster all is judged locally while one node is away.
//
// # Redis
//
// It is tested with Redis 7, standalone and Cluster. A window is one key: the
// prefix and, in braces, a digest of the rule, the organization and the group.
// On a Cluster every window has its own call in the pipeline, elsewhere all
// windows of a batch have one. No command scans or blocks. The client belongs to
// the host, and so do its time-outs.
package rediswindow
