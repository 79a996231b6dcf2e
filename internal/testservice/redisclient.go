package testservice

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// RedisClient returns a client of a server or, with several addresses, of a
// Cluster. It waits for a response for one second and retries nothing, so that a
// test sees every failure.
func RedisClient(tb testing.TB, addrs ...string) redis.UniversalClient {
	tb.Helper()
	return RedisClientWith(tb, &redis.UniversalOptions{
		Addrs: addrs, MaxRetries: -1, ReadTimeout: time.Second, DialTimeout: time.Second,
	})
}

// RedisClientWith returns a client with these options. It is closed when the test
// ends.
func RedisClientWith(tb testing.TB, o *redis.UniversalOptions) redis.UniversalClient {
	tb.Helper()
	client := redis.NewUniversalClient(o)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// Prefix returns a prefix of keys that no other test uses.
func Prefix(testing.TB) string {
	return "t" + strings.ToLower(rand.Text()) + ":"
}
