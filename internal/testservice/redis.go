package testservice

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const redisInstall = "package redis-server"

// A RedisServer is a Redis of one test's own.
type RedisServer struct {
	*process
	// Addr is host:port.
	Addr string

	client redis.UniversalClient
}

// URL returns the server's address as a URL.
func (s *RedisServer) URL() string { return "redis://" + s.Addr }

// Redis starts a Redis server. Its data survive a restart. Further arguments are
// those of redis-server, such as "--maxmemory", "2mb".
func Redis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	program := find(tb, "redis-server", redisInstall)
	port := freePort(tb)
	dir := tempDir(tb, nil)
	s := &RedisServer{Addr: "127.0.0.1:" + port}
	s.process = &process{
		tb: tb, name: "redis-server", dir: dir,
		args: append([]string{program, "--port", port, "--bind", "127.0.0.1", "--dir", dir,
			"--appendonly", "yes", "--appendfsync", "always", "--save", ""}, args...),
		ready: func() error { return s.client.Ping(context.Background()).Err() },
	}
	s.client = RedisClient(tb, s.Addr)
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
}

// Do sends the server a command, in words separated by spaces, that must succeed.
// It returns the response.
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
