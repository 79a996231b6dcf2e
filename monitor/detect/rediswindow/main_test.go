package rediswindow_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func newWindows(tb testing.TB, client redis.UniversalClient, o rediswindow.Options) *rediswindow.Windows {
	tb.Helper()
	if o.Prefix == "" {
		o.Prefix = testservice.Prefix(tb)
	}
	windows, err := rediswindow.New(client, &o)
	require.NoError(tb, err)
	return windows
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// An instance hands events to an engine of its own.
type instance struct {
	*detect.Engine
	windows  *rediswindow.Windows
	sequence atomic.Uint64
}

// newInstance returns an instance whose rule counts three events in a minute.
func newInstance(tb testing.TB, client redis.UniversalClient, o rediswindow.Options) *instance {
	tb.Helper()
	windows := newWindows(tb, client, o)
	engine, err := detect.New(&detect.Options{Windows: windows, Rules: []detect.Rule{
		{Name: "three", Match: func(*monitor.Event) bool { return true }, Threshold: 3, Window: time.Minute},
	}})
	require.NoError(tb, err)
	return &instance{Engine: engine, windows: windows}
}

// event returns an event whose ID is the second at which it happens.
func event(second int) *monitor.Event {
	return &monitor.Event{
		ID: fmt.Sprint(second), Timestamp: noon.Add(time.Duration(second) * time.Second), Action: "x",
		PrincipalID: "u", OrganizationID: "org-1",
	}
}

// detect returns the IDs of the events that qualify because of one.
func (i *instance) detect(ctx context.Context, e *monitor.Event) ([]string, error) {
	r := monitor.NewReporter(monitor.Arrival{
		OrganizationID: e.OrganizationID, Sequence: i.sequence.Add(1), Watermark: e.Timestamp, Lateness: time.Minute,
	})
	err := i.Detect(ctx, e, r)
	ids := []string{}
	for _, f := range r.Findings() {
		ids = append(ids, f.Event.ID)
	}
	slices.Sort(ids)
	return ids, err
}

// reporters returns a reporter for each arrival.
func reporters(arrivals []monitor.Arrival) []*monitor.Reporter {
	var rs []*monitor.Reporter
	for _, a := range arrivals {
		rs = append(rs, monitor.NewReporter(a))
	}
	return rs
}

// want checks which events qualify because of the one at that second.
func (i *instance) want(tb testing.TB, second int, want ...string) {
	tb.Helper()
	got, err := i.detect(tb.Context(), event(second))
	require.NoError(tb, err, "at %d", second)
	assert.Equal(tb, append([]string{}, want...), got, "at %d", second)
}
