package testservice_test

import (
	"net"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/testservice"
)

func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestRedisIsKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := testservice.Redis(t)
	s.Kill()
	if answers(s.Addr) {
		t.Error("it answers after Kill")
	}
	s.Restart()
	s.Pause()
	s.Resume()
	if !answers(s.Addr) {
		t.Error("it does not answer after Restart")
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := testservice.Cluster(t)
	if len(c.Addrs()) != 3 {
		t.Errorf("nodes: %v", c.Addrs())
	}
}

func TestPostgresIsKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := testservice.Postgres(t)
	s.Kill()
	if answers(s.Addr) {
		t.Error("it answers after Kill")
	}
	s.Restart()
	if !answers(s.Addr) {
		t.Error("it does not answer after Restart")
	}
}
