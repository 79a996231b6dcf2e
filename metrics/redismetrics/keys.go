package redismetrics

import "strings"

// A keyspace is the prefix of all keys, in braces.
type keyspace string

// key returns the key under which something is kept.
func (k keyspace) key(path ...string) string {
	return string(k) + ":" + strings.Join(path, ":")
}

// metric returns the key of a counter or histogram.
func (k keyspace) metric(name string) string { return k.key("monitor", name) }
