package rediswindow_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// TestAheadIsKept has an event that is ahead of the watermark, and then one that is
// not: the window lives as long as the first is needed.
func TestAheadIsKept(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	o := rediswindow.Options{Prefix: testservice.Prefix(t), Retention: time.Millisecond}
	i := newInstance(t, client, o)
	for n, ahead := range []time.Duration{2 * time.Minute, 0} {
		e := event(n)
		e.Timestamp = noon.Add(ahead)
		a := monitor.Arrival{OrganizationID: e.OrganizationID, Sequence: uint64(n + 1), Watermark: noon, Lateness: time.Second}
		require.NoError(t, i.Detect(t.Context(), e, monitor.NewReporter(a)))
		key := client.Keys(t.Context(), o.Prefix+"*").Val()[0]
		assert.Greater(t, client.PTTL(t.Context(), key).Val(), 3*time.Minute, "after event %d", n)
	}
}

// TestAheadInAnyOrder has events between the oldest that are on time and the furthest
// ahead arrive in any order, at two instances: the same ones qualify.
func TestAheadInAnyOrder(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	const lateness, skew = 60, 120
	var want map[string]bool
	for order := range 4 {
		o := rediswindow.Options{Prefix: testservice.Prefix(t)}
		instances := []*instance{newInstance(t, client, o), newInstance(t, client, o)}
		seconds := rand.New(rand.NewPCG(1, uint64(order))).Perm(lateness + skew)
		got := map[string]bool{}
		for n, s := range seconds {
			if s%7 == 0 || s > 100 && s < 140 {
				continue // so that some do not qualify
			}
			e := event(s * 20 % (lateness + skew)) // any time
			e.ID = fmt.Sprint(s)
			e.Timestamp = noon.Add(time.Duration(s-lateness) * time.Second)
			e.PrincipalID = fmt.Sprint("user-", s*s%20)
			a := monitor.Arrival{OrganizationID: e.OrganizationID, Sequence: uint64(n + 1), Watermark: noon, Lateness: lateness * time.Second}
			r := monitor.NewReporter(a)
			require.NoError(t, instances[n%2].Detect(t.Context(), e, r))
			for _, f := range r.Findings() {
				got[f.Event.ID] = true
			}
		}
		if order == 0 {
			want = got
			require.NotEmpty(t, want)
		}
		assert.Equal(t, want, got, "order %d", order)
	}
}

// TestLargeWindows adds a batch to one large window, and one to many that are read as
// a whole: no call holds up Redis.
func TestLargeWindows(t *testing.T) {
	t.Parallel()
	client := testservice.SharedRedisClient(t)
	i := newInstance(t, client, rediswindow.Options{})
	i.want(t, 0) // the script becomes known
	sent := &hook{}
	client.AddHook(sent)
	var es []*monitor.Event
	var arrivals []monitor.Arrival
	for n := range 5000 {
		es = append(es, event(n))
		arrivals = append(arrivals, monitor.Arrival{OrganizationID: "org-1", Sequence: uint64(n + 2), Lateness: time.Hour})
	}
	rs := reporters(arrivals)
	require.NoError(t, i.DetectBatch(t.Context(), es, rs))
	assert.LessOrEqual(t, sent.longest, 5*1024)
	found := 0
	for _, r := range rs {
		found += len(r.Findings())
	}
	assert.Equal(t, 4998, found)
}
