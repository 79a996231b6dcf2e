package testservice

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// MoveSlot moves the slot of a key that exists to another node, with all its
// keys, while clients use it. It calls during when a client may be sent to
// either node: before keys are moved, and when they are.
func (c *RedisCluster) MoveSlot(key string, during func()) {
	c.Nodes[0].tb.Helper()
	from, to := c.Nodes[0], c.Nodes[0]
	slot := from.command("CLUSTER", "KEYSLOT", key)
	for _, n := range c.Nodes {
		if n.command("CLUSTER", "COUNTKEYSINSLOT", slot) != "0" {
			from = n
		} else {
			to = n
		}
	}
	fromID, toID := from.command("CLUSTER", "MYID"), to.command("CLUSTER", "MYID")
	to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	during()
	host, port, err := net.SplitHostPort(to.Addr)
	to.must(err)
	for {
		keys := strings.Fields(from.command("CLUSTER", "GETKEYSINSLOT", slot, "100"))
		if len(keys) == 0 {
			break
		}
		from.command(append([]string{"MIGRATE", host, port, `""`, "0", "1000", "KEYS"}, keys...)...)
	}
	during()
	for _, n := range []*RedisServer{to, from, c.Nodes[0], c.Nodes[1], c.Nodes[2]} {
		n.command("CLUSTER", "SETSLOT", slot, "NODE", toID)
	}
}

// RedisBenchmark runs redis-benchmark against a server, with arguments of its
// own, and returns how many requests it made in a second.
func RedisBenchmark(tb testing.TB, s *RedisServer, args ...string) float64 {
	tb.Helper()
	program := find(tb, "redis-benchmark", "package redis-tools")
	host, port, err := net.SplitHostPort(s.Addr)
	s.must(err)
	out, err := exec.Command(program, append([]string{"-h", host, "-p", port, "--csv"}, args...)...).Output()
	s.must(err)
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	s.must(err)
	rate, err := strconv.ParseFloat(rows[len(rows)-1][1], 64)
	s.must(err)
	return rate
}

// command is redisCommand, which must not fail.
func (s *RedisServer) command(args ...string) string {
	s.tb.Helper()
	answer, err := redisCommand(s.Addr, args...)
	s.must(err)
	return answer
}

// redisCommand sends one command on a connection of its own and returns what is
// answered: the parts of an array with a line each.
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
	return readAnswer(bufio.NewReader(conn))
}

func readAnswer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, rest := line[:1], strings.TrimSpace(line[1:])
	switch kind {
	case "+", ":":
		return rest, nil
	case "-":
		return "", errors.New(rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return "", fmt.Errorf("unexpected answer %q", line)
	}
	if kind == "$" {
		text := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(r, text)
		return string(text[:n]), err
	}
	var parts strings.Builder
	for range n {
		part, err := readAnswer(r)
		if err != nil {
			return "", err
		}
		parts.WriteString(part + "\n")
	}
	return parts.String(), nil
}
