// Package redismetrics adds up in Redis what all instances of a service count.
//
//	collector, err := redismetrics.New(client, nil)
//	...
//	m, err := monitor.New(monitor.Config{Metrics: collector, ...})
//	...
//	err = m.Run(ctx) // flushes every second, and once more at the end
//
// [Collector.Record] counts in memory, in the same way and as fast as package
// memmetrics, and never waits for Redis. A flush sends what is new since the last
// one in one script call, which takes one round trip and is applied as a whole.
//
// # Guarantees
//
// Totals are exact over any number of instances. Every flush has a number, and
// Redis remembers each instance's last one for 24 hours: a flush whose reply was
// lost is sent again under its number and not counted again. While Redis is
// away, nothing is lost and memory does not grow, because only totals are kept.
// An instance that is killed loses what it counted since its last flush: at most
// one interval, if Redis answers. What Redis has acknowledged is as durable as
// Redis is configured to be.
//
// Durations are counted in the buckets of package memmetrics, which add up over
// instances: quantiles are off by less than 1/32 of their value. The total of a
// gauge is the sum of what each live instance reported last, or, for a gauge that
// tells about a shared store, the greatest of these values. An instance is live
// for ten intervals after its last flush. A sum that leaves 64 bits stays at the
// limit.
//
// # Redis
//
// It is tested with Redis 7, standalone and Cluster. All keys begin with the
// prefix in braces, so that a Cluster keeps them in one slot. No command scans
// or blocks. The client belongs to the application, and so do its time-outs: a
// hanging Redis holds up a flush or a snapshot until the client times out.
package redismetrics
