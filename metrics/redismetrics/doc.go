// Package redismetrics provides a metrics collector that adds up the metrics of
// all instances of a service in Redis.
//
//	collector, err := redismetrics.New(client, nil)
//	...
//	m, err := monitor.New(monitor.Config{Metrics: collector, ...})
//	...
//	err = m.Run(ctx) // flushes every second, and once more at the end
//
// [Collector.Record] counts in memory, like package memmetrics and as fast, and
// never waits for Redis. A flush sends everything that was counted since the last
// flush. It calls one script, which takes one round trip and is atomic.
//
// # Guarantees
//
// Totals are exact for any number of instances. Every flush has a number, and
// Redis remembers the last number of each instance for 24 hours. A flush whose
// reply was lost is sent again with the same number and not counted twice. While
// Redis is unavailable, nothing is lost and memory does not grow, because only
// totals are kept. An instance that is killed loses what it counted since its last
// flush: at most one interval, if Redis is available. The durability of flushed
// data depends on the configuration of Redis. A flush counts as a whole or not at
// all: if somebody else has written a value of another type under one of the keys,
// nothing is counted until that key is gone, and [Collector.Health] names it.
//
// Durations are counted in the same buckets as in package memmetrics, so that the
// relative error of quantiles is below 1/32. The total of a gauge is the sum of
// the last values of all live instances; if [monitor.MetricDescription.Shared] is
// set, it is the maximum of these values. An instance is live for ten intervals
// after its last flush. A sum that would overflow 64 bits stays at the limit.
//
// # Redis
//
// The package is tested with Redis 7, standalone and Cluster. All keys begin with
// the prefix in braces, so that a Cluster keeps them in one slot. No command scans
// the keys or blocks. The application configures and closes the client. If Redis
// does not respond, a flush or a snapshot waits until the client times out.
package redismetrics
