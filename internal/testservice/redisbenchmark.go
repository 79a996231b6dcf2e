package testservice

import (
	"bytes"
	"encoding/csv"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

// RedisBenchmark runs redis-benchmark against a server, with the given arguments,
// and returns the requests per second that it reports.
func RedisBenchmark(tb testing.TB, s *RedisServer, args ...string) float64 {
	tb.Helper()
	program := find(tb, "redis-benchmark", "redis-tools")
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
