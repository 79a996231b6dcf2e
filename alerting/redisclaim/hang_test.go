package redisclaim_test

import (
	"context"
	"net"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/claims"
)

// senders returns how many goroutines send commands.
func senders() int {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2) // a Builder takes everything
	return strings.Count(all.String(), "created by github.com/auditwarden/auditwarden/alerting/redisclaim.(*Claims).send")
}

// TestClientWithoutTimeouts has a server that never answers and a client that waits
// for it for ever: a bounded number of calls is left waiting, and these end when the
// application closes the client. It counts goroutines and so is not parallel.
func TestClientWithoutTimeouts(t *testing.T) { //nolint:paralleltest // it counts goroutines
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client := redis.NewClient(&redis.Options{
		Addr: listener.Addr().String(), PoolSize: 1000, ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: time.Hour,
	})
	c := newClaims(t, client, "test")
	for range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := c.Lookup(ctx, []claims.AlertKey{keyOf("a")})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	require.LessOrEqual(t, senders(), 64)
	require.NoError(t, client.Close())
	require.Eventually(t, func() bool { return senders() == 0 }, time.Minute, time.Millisecond)
}
