package testservice_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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
	assert.False(t, answers(s.Addr), "after Kill")
	s.Restart()
	s.Pause()
	s.Resume()
	assert.True(t, answers(s.Addr), "after Restart")
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := testservice.Cluster(t)
	assert.Len(t, c.Addrs(), 3)
}

func TestPgBouncerIsKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := testservice.PgBouncer(t, testservice.Postgres(t).URL())
	s.Kill()
	assert.False(t, answers(s.Addr), "after Kill")
	s.Restart()
	assert.True(t, answers(s.Addr), "after Restart")
}

func TestPostgresIsKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := testservice.Postgres(t)
	s.Kill()
	assert.False(t, answers(s.Addr), "after Kill")
	s.Restart()
	assert.True(t, answers(s.Addr), "after Restart")
}
