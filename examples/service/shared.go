package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// shared returns the service as one of several instances. The connections are the
// application's own, with the limits that it sets.
func shared(ctx context.Context, postgresURL, redisURL string) (*service, error) {
	signer, verifier, err := keys()
	if err != nil {
		return nil, err
	}
	db, err := pgxpool.New(ctx, postgresURL)
	if err != nil {
		return nil, err
	}
	if err := pgalerts.Migrate(ctx, db); err != nil {
		return nil, err
	}
	store, err := pgalerts.New(db, nil)
	if err != nil {
		return nil, err
	}
	address, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, err
	}
	// A Redis that hangs holds up a worker for as long as this, before the instance
	// goes on by itself.
	const limit = 500 * time.Millisecond
	address.DialTimeout, address.ReadTimeout, address.WriteTimeout, address.PoolTimeout = limit, limit, limit, limit
	address.MaxRetries, address.DialerRetries = -1, 1
	cache := redis.NewClient(address)

	// One set of windows, totals and open alerts for all instances. While Redis is
	// away, each instance goes on by itself.
	windows, err := rediswindow.New(cache, nil)
	if err != nil {
		return nil, err
	}
	totals, err := redismetrics.New(cache, nil)
	if err != nil {
		return nil, err
	}
	open, err := redisclaim.New(cache, nil)
	if err != nil {
		return nil, err
	}
	rules, err := detect.New(&detect.Options{Rules: detect.Modern(), Windows: windows})
	if err != nil {
		return nil, err
	}
	counts := memmetrics.New()
	both := metrics.Fanout(counts, totals)
	alerts, err := alerting.NewManager(store, &alerting.ManagerOptions{
		Claims:  open,
		Metrics: both,
		Routes: []alerting.Route{{
			Name:     "on-call",
			Notifier: alerting.NotifierFunc(tell),
			Reasons:  alerting.Reasons(), // the whole lifecycle
		}},
	})
	if err != nil {
		return nil, err
	}
	m, err := monitor.New(monitor.Config{
		Verifier:  verifier,
		Detectors: []monitor.Detector{rules},
		Alerts:    alerts,
		Metrics:   both,
		Workers:   4, // each waits for Redis and PostgreSQL
	})
	if err != nil {
		return nil, err
	}
	return &service{m, signer, counts}, nil
}
