package redismetrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestWrongType has somebody else use one of the keys, whichever it is: nothing is
// counted by half, health says which key it is, and everything is there when the key
// is gone.
func TestWrongType(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	for _, name := range []string{"live", "gauges", "monitor:errors", "monitor:processing_latency", "monitor:alerts_created"} {
		prefix := testservice.Prefix(t)
		key := "{" + prefix + "}:" + name
		c := newCollector(t, client, redismetrics.Options{Prefix: prefix, Interval: time.Millisecond})
		other := newCollector(t, client, redismetrics.Options{Prefix: prefix})
		count(c, 1, "")
		wantErrors(t, c, 1)
		aside := key + ":aside"
		existed := client.Rename(t.Context(), key, aside).Err() == nil
		require.NoError(t, client.Set(t.Context(), key, "mine", 0).Err())
		count(c, 2, "")
		count(c, 4, "panic")
		stop := run(t, c)
		eventually(t, "health is critical", func() bool {
			return c.Health(t.Context())[0].Status == monitor.HealthCritical
		})
		require.Contains(t, check.Health(t, c, monitor.HealthCritical).Message, key)
		_, failure := c.Snapshot(t.Context())
		require.ErrorContains(t, failure, "WRONGTYPE "+key)
		require.Equal(t, "mine", client.Get(t.Context(), key).Val())
		count(c, 8, "")
		if existed {
			require.NoError(t, client.Rename(t.Context(), aside, key).Err())
		} else {
			require.NoError(t, client.Del(t.Context(), key).Err())
		}
		eventually(t, "health is good", func() bool {
			return c.Health(t.Context())[0].Status == monitor.HealthOK
		})
		require.NoError(t, stop())
		wantErrors(t, other, 15)
	}
}
