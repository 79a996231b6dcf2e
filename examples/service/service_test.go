package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// start serves the service until the test calls stop.
func start(t *testing.T, s *service) (client *client, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, s.handler(), s.monitor) }()
	return newClient(t, "http://"+listener.Addr().String()), func() {
		t.Helper()
		cancel()
		require.NoError(t, <-served)
	}
}

type client struct {
	*testing.T
	http *http.Client
	url  string
}

func newClient(t *testing.T, url string) *client {
	t.Helper()
	c := &client{t, &http.Client{Timeout: 10 * time.Second}, url}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// login returns the status of an attempt with a wrong password.
func (c *client) login(user string) int {
	response, err := c.http.PostForm(c.url+"/login", url.Values{"user": {user}, "password": {"wrong"}})
	if err != nil {
		c.Error(err)
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (c *client) report() (r metrics.Report) {
	response, err := c.http.Get(c.url + "/metrics")
	require.NoError(c, err)
	defer response.Body.Close()
	require.Equal(c, http.StatusOK, response.StatusCode)
	require.NoError(c, json.NewDecoder(response.Body).Decode(&r))
	return r
}

func TestAlone(t *testing.T) {
	s, err := alone()
	require.NoError(t, err)
	client, stop := start(t, s)
	for range 5 {
		require.Equal(t, http.StatusUnauthorized, client.login("mallory"))
	}
	require.NoError(t, s.monitor.Drain(t.Context()))
	report := client.report()
	stop()
	require.EqualValues(t, 5, report.EventsProcessed)
	require.EqualValues(t, 1, report.AlertsGenerated)
}

// Redis goes away while clients log in: none of them waits, what was accepted is
// judged, and the totals are there.
func TestRedisAway(t *testing.T) {
	cache := testservice.Redis(t)
	postgres := testservice.PostgresSchema(t, testservice.PostgresURL(t))
	s, err := shared(t.Context(), postgres, "redis://"+cache.Addr)
	require.NoError(t, err)
	client, stop := start(t, s)
	require.Equal(t, http.StatusUnauthorized, client.login("ann"))
	cache.Kill()

	var accepted, refused atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 250 {
				switch status := client.login("mallory"); status {
				case http.StatusUnauthorized:
					accepted.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("status %d", status)
				}
			}
		})
	}
	clients.Wait()
	require.NoError(t, s.monitor.Drain(t.Context()))
	report := client.report()
	require.Equal(t, accepted.Load()+1, report.EventsProcessed, "%d were refused", refused.Load())
	require.EqualValues(t, 1, report.AlertsGenerated)
	require.NotEqual(t, monitor.HealthOK, s.monitor.Health(t.Context()).Status)

	cache.Restart()
	require.Eventually(t, func() bool {
		return client.login("ann") == http.StatusUnauthorized && s.monitor.Health(t.Context()).Status == monitor.HealthOK
	}, time.Minute, 100*time.Millisecond, "health after the outage")
	stop()
}
