package testservice

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const redisInstall = "package redis-server"

// A RedisServer is a Redis of one test's own.
type RedisServer struct {
	*process
	// Addr is host:port.
	Addr string
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
		ready: func() error {
			_, err := redisCommand(s.Addr, "PING")
			return err
		},
	}
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
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

// A RedisCluster is a cluster of three masters without replicas.
type RedisCluster struct {
	Nodes []*RedisServer
}

// Addrs returns the addresses of the nodes.
func (c *RedisCluster) Addrs() []string {
	var addrs []string
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return addrs
}

// Cluster starts a Redis Cluster.
func Cluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	cli := find(tb, "redis-cli", "package redis-tools")
	c := &RedisCluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, Redis(tb,
			"--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
			"--cluster-require-full-coverage", "no"))
	}
	args := append([]string{cli, "--cluster", "create"}, c.Addrs()...)
	c.Nodes[0].must(run(nil, filepath.Dir(c.Nodes[0].dir), append(args, "--cluster-yes")...))
	for _, n := range c.Nodes {
		n.must(n.awaitCluster())
	}
	return c
}

// awaitCluster waits until the node knows that every slot is served.
func (s *RedisServer) awaitCluster() error {
	deadline := time.Now().Add(startTimeout)
	for {
		info, err := redisCommand(s.Addr, "CLUSTER", "INFO")
		if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("cluster is not ready: %w\n%s", err, info)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// redisCommand sends one command on a connection of its own and returns the
// simple or bulk string that is answered.
func redisCommand(addr string, args ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // nothing was written that could be lost
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", strings.Join(args, " ")); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(line, "+"):
		return strings.TrimSpace(line[1:]), nil
	case strings.HasPrefix(line, "$"):
		var n int
		if _, err := fmt.Sscanf(line, "$%d", &n); err != nil {
			return "", err
		}
		text := make([]byte, n)
		for read := 0; read < n; {
			k, err := r.Read(text[read:])
			if err != nil {
				return "", err
			}
			read += k
		}
		return string(text), nil
	}
	return "", errors.New(strings.TrimSpace(line))
}
