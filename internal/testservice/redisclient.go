package testservice

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// RedisClient returns a client of a server, or of the nodes of a Cluster. So that
// a test sees what happens, it waits for a second at most and tries nothing again.
func RedisClient(tb testing.TB, addrs ...string) redis.UniversalClient {
	tb.Helper()
	return RedisClientWith(tb, &redis.UniversalOptions{
		Addrs: addrs, MaxRetries: -1, ReadTimeout: time.Second, DialTimeout: time.Second,
	})
}

// RedisClientWith returns a client with options of the test's own. It is closed
// when the test ends.
func RedisClientWith(tb testing.TB, o *redis.UniversalOptions) redis.UniversalClient {
	tb.Helper()
	client := redis.NewUniversalClient(o)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// SharedRedisClient returns a client, with the usual options, of the server of
// [RedisURL].
func SharedRedisClient(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	options, err := redis.ParseURL(RedisURL(tb))
	require.NoError(tb, err)
	client := redis.NewClient(options)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// RedisURL returns the URL of a server for tests that leave it alone: the one of
// AUDITWARDEN_TEST_REDIS_URL, or a private one.
func RedisURL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("AUDITWARDEN_TEST_REDIS_URL"); url != "" {
		return url
	}
	return Redis(tb).URL()
}

// Prefix returns a key prefix that no other test uses.
func Prefix(tb testing.TB) string {
	tb.Helper()
	return "t" + strings.ToLower(rand.Text()) + ":"
}
