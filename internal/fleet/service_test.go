package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// lateness covers a wave of the trail, in whatever order it comes.
const lateness = 5 * time.Minute

// settings are what an instance is configured with.
type settings struct {
	Redis    []string // URLs; several are the nodes of a Cluster
	Postgres string
	Prefix   string // of everything in Redis
	Secret   string // of the emitters

	Webhook       string // empty: the outbox is for other instances
	WebhookSecret string
	WebhookLimit  time.Duration // of a delivery

	// Patience is how long an attempt to handle a batch may take, and an answer
	// of Redis.
	Patience time.Duration
	Coalesce time.Duration
	// StuckAfter is the number of batches after which the instance never
	// acknowledges another; 0 for none.
	StuckAfter int
}

// A service is the wiring of a host.
type service struct {
	redis   redis.UniversalClient
	pool    *pgxpool.Pool
	alerts  *alerting.Manager
	monitor *monitor.Monitor
}

// newService makes a service that has not connected to anything.
func newService(ctx context.Context, s settings) (_ *service, err error) {
	svc := &service{}
	defer func() {
		if err != nil {
			err = errors.Join(err, svc.close())
		}
	}()
	if svc.redis, err = newRedis(s); err != nil {
		return nil, err
	}
	if svc.pool, err = pgxpool.New(ctx, s.Postgres); err != nil {
		return nil, err
	}
	checker, err := newChecker(s.Secret)
	if err != nil {
		return nil, err
	}
	collector, err := redismetrics.New(svc.redis, &redismetrics.Options{Prefix: s.Prefix + "metrics", Interval: 100 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	windows, err := rediswindow.New(svc.redis, &rediswindow.Options{Prefix: s.Prefix + "windows", OnUnavailable: rediswindow.Fail})
	if err != nil {
		return nil, err
	}
	engine, err := detect.New(&detect.Options{Windows: windows})
	if err != nil {
		return nil, err
	}
	if svc.alerts, err = newAlerts(svc, s, collector); err != nil {
		return nil, err
	}
	svc.monitor, err = monitor.New(monitor.Config{
		Verifier:  checker,
		Detectors: []monitor.Detector{engine},
		Alerts:    svc.alerts,
		Metrics:   collector,
		Lateness:  lateness,
		MaxSkew:   -1, // the trail is history
	})
	return svc, err
}

func newRedis(s settings) (redis.UniversalClient, error) {
	if len(s.Redis) == 1 {
		o, err := redis.ParseURL(s.Redis[0])
		if err != nil {
			return nil, err
		}
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = s.Patience, s.Patience, s.Patience
		o.ContextTimeoutEnabled = true
		return redis.NewClient(o), nil
	}
	o := &redis.ClusterOptions{
		DialTimeout: s.Patience, ReadTimeout: s.Patience, WriteTimeout: s.Patience, ContextTimeoutEnabled: true,
	}
	for _, url := range s.Redis {
		o.Addrs = append(o.Addrs, strings.TrimPrefix(url, "redis://"))
	}
	return redis.NewClusterClient(o), nil
}

func newKey(secret string) (*crypto.Key, error) {
	return crypto.NewHMACKey("emitter", []byte(secret), nil)
}

func newChecker(secret string) (*crypto.Checker, error) {
	key, err := newKey(secret)
	if err != nil {
		return nil, err
	}
	keyring, err := crypto.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	return crypto.NewChecker(keyring, nil), nil
}

func newAlerts(svc *service, s settings, collector monitor.MetricsCollector) (*alerting.Manager, error) {
	store, err := pgalerts.New(svc.pool, nil)
	if err != nil {
		return nil, err
	}
	claims, err := redisclaim.New(svc.redis, &redisclaim.Options{Prefix: s.Prefix + "alerts"})
	if err != nil {
		return nil, err
	}
	o := &alerting.ManagerOptions{
		CoalesceInterval: s.Coalesce,
		Claims:           claims,
		PollInterval:     200 * time.Millisecond,
		Metrics:          collector,
	}
	if s.Webhook != "" {
		receiver, err := webhook.New(s.Webhook, []notify.Secret{notify.NewSecret(s.WebhookSecret)}, &webhook.Options{
			Transport: notify.Transport{AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		})
		if err != nil {
			return nil, err
		}
		o.Routes = []alerting.Route{{Name: "receiver", Notifier: receiver, Timeout: s.WebhookLimit}}
	}
	return alerting.NewManager(store, o)
}

// close gives back what the host has made.
func (s *service) close() error {
	if s.pool != nil {
		s.pool.Close()
	}
	if s.redis != nil {
		if err := s.redis.Close(); err != nil {
			return fmt.Errorf("close Redis: %w", err)
		}
	}
	return nil
}
