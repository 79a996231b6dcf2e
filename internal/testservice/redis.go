package testservice

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// A RedisServer is a Redis server for one test alone.
type RedisServer struct {
	*process

	client redis.UniversalClient
}

// Redis starts a Redis server. Its data survive a restart. Further arguments are
// those of redis-server, such as "--maxmemory", "2mb".
func Redis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	program := find(tb, "redis-server", "redis-server")
	port := FreePort(tb)
	dir := tempDir(tb, nil)
	s := &RedisServer{client: RedisClient(tb, "127.0.0.1:"+port)}
	s.process = &process{
		Addr: "127.0.0.1:" + port, tb: tb, name: "redis-server", dir: dir,
		args: append([]string{program, "--port", port, "--bind", "127.0.0.1", "--dir", dir,
			"--appendonly", "yes", "--appendfsync", "always", "--save", ""}, args...),
		ready: func() error { return s.client.Ping(context.Background()).Err() },
	}
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
}

// URL returns the server's address as a URL.
func (s *RedisServer) URL() string { return "redis://" + s.Addr }

// Do sends a command, whose words are separated by spaces, to the server and
// returns the response.
func (s *RedisServer) Do(command string) any {
	s.tb.Helper()
	var words []any
	for word := range strings.FieldsSeq(command) {
		words = append(words, word)
	}
	response, err := s.client.Do(context.Background(), words...).Result()
	s.must(err)
	return response
}

// RedisURL returns the URL of a server that tests may share: the one that
// AUDITWARDEN_TEST_REDIS_URL names, or a new one.
func RedisURL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("AUDITWARDEN_TEST_REDIS_URL"); url != "" {
		return url
	}
	return Redis(tb).URL()
}

// SharedRedisClient returns a client, with the usual options, of the server at
// [RedisURL].
func SharedRedisClient(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	options, err := redis.ParseURL(RedisURL(tb))
	require.NoError(tb, err)
	client := redis.NewClient(options)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}
