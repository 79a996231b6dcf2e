package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// configurationLimit is how long a service may take to notice that it cannot work.
const configurationLimit = 5 * time.Second

// password is in settings and must be nowhere else.
const password = "swordfish-8Zq"

// TestBadConfiguration has every wrong setting found at the first event if not
// before, with an error that says what is wrong and no more than that.
func TestBadConfiguration(t *testing.T) {
	redis := testservice.Redis(t)
	locked := testservice.Redis(t)
	postgres := testservice.Postgres(t)
	closed := "127.0.0.1:" + testservice.FreePort(t)
	locked.Do("CONFIG SET requirepass another")
	demandPostgresPassword(t, postgres.URL())
	good := settings{
		Redis: []string{redis.URL()}, Postgres: schema(t, postgres.URL()), Prefix: testservice.Prefix(t),
		Secret: secret, WebhookSecret: webhookSecret, Patience: 300 * time.Millisecond,
	}
	migrate(t, good.Postgres)

	for name, tt := range map[string]struct {
		change func(t *testing.T, s *settings)
		want   []string // one of these is in the error
	}{
		"none": {func(*testing.T, *settings) {}, nil},
		"Redis URL": {
			func(_ *testing.T, s *settings) { s.Redis = []string{"http://:" + password + "@localhost"} },
			[]string{"redis: invalid URL scheme"},
		},
		"Redis port": {
			func(_ *testing.T, s *settings) { s.Redis = []string{"redis://:" + password + "@" + closed} },
			[]string{"connection refused"},
		},
		"Redis password": {
			func(_ *testing.T, s *settings) { s.Redis = []string{"redis://:" + password + "@" + locked.Addr} },
			[]string{"WRONGPASS"},
		},
		"no Redis password": {
			func(_ *testing.T, s *settings) { s.Redis = []string{locked.URL()} },
			[]string{"NOAUTH", "unauthenticated"},
		},
		"Redis TLS": {
			func(_ *testing.T, s *settings) { s.Redis = []string{"rediss://:" + password + "@" + redis.Addr} },
			[]string{"i/o timeout", "deadline exceeded"}, // such a server waits for more
		},
		"Postgres URL": {
			func(_ *testing.T, s *settings) { s.Postgres = "postgres://test:" + password + "@localhost:port/test" },
			[]string{"cannot parse"},
		},
		"Postgres port": {
			func(t *testing.T, s *settings) { s.Postgres = withUser(t, s.Postgres, "test", closed) },
			[]string{"connection refused"},
		},
		"Postgres password": {
			func(t *testing.T, s *settings) { s.Postgres = withUser(t, s.Postgres, "locked", postgres.Addr) },
			[]string{"password authentication failed"},
		},
		"Postgres database": {
			func(t *testing.T, s *settings) { s.Postgres = strings.Replace(s.Postgres, "/test?", "/elsewhere?", 1) },
			[]string{`database "elsewhere" does not exist`},
		},
		"Postgres TLS": {
			func(t *testing.T, s *settings) {
				s.Postgres = strings.Replace(withUser(t, s.Postgres, "test", postgres.Addr), "sslmode=disable", "sslmode=require", 1)
			},
			[]string{"server refused TLS connection"},
		},
		"no migration": {
			func(t *testing.T, s *settings) { s.Postgres = schema(t, postgres.URL()) },
			[]string{"there is no schema, call Migrate"},
		},
		"old schema": {
			func(t *testing.T, s *settings) {
				s.Postgres = schema(t, postgres.URL())
				migrate(t, s.Postgres)
				testservice.PostgresExecute(t, s.Postgres, `DELETE FROM auditwarden_alert_migrations WHERE version_id > 0`)
			},
			[]string{"the schema has version 0 and must have"},
		},
		"webhook URL": {
			func(_ *testing.T, s *settings) { s.Webhook = "ftp://user:" + password + "@localhost/hook" },
			[]string{"webhook: make notifier: URL: "},
		},
		"webhook secret": {
			func(_ *testing.T, s *settings) { s.Webhook, s.WebhookSecret = "https://localhost", password },
			[]string{"webhook: make notifier: secrets"},
		},
		"secret": {
			func(_ *testing.T, s *settings) { s.Secret = password },
			[]string{crypto.ErrKeyTooShort.Error()},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good
			tt.change(t, &s)
			health, err := firstUse(t, s)
			said := fmt.Sprintf("%v\n%+v", err, health)
			assert.NotContains(t, said, password)
			assert.NotContains(t, said, secret)
			if len(tt.want) == 0 {
				require.NoError(t, err)
				for _, c := range health.Components {
					if c.Message != "not running" { // which is the case
						assert.Equal(t, monitor.HealthOK, c.Status, said)
					}
				}
				return
			}
			require.Error(t, err)
			assert.True(t, containsAny(err.Error(), tt.want), "error %v, want one with %q", err, tt.want)
			if !health.Timestamp.IsZero() { // otherwise the service was not even made
				assert.Equal(t, monitor.HealthWarning, health.Status, said) // one failure
				assert.Contains(t, said, "never connected, failed: ")
			}
		})
	}
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// firstUse makes a service and hands it an event that raises an alert and needs
// both servers.
func firstUse(t *testing.T, s settings) (health monitor.Health, err error) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), configurationLimit)
	defer cancel()
	svc, err := newService(ctx, s)
	if err != nil {
		return health, err
	}
	_, err = svc.monitor.Process(ctx, suspicious(t, s.Secret))
	require.NoError(t, ctx.Err(), "it took %v: %v", time.Since(began), err)
	health = svc.monitor.Health(t.Context())
	ending, cancel := context.WithTimeout(t.Context(), endLimit)
	defer cancel()
	stopped := svc.monitor.Shutdown(ending)
	require.NoError(t, ending.Err(), "it does not stop: %v", stopped)
	if stopped != nil {
		err = errors.Join(err, fmt.Errorf("shut down: %w", stopped))
	}
	return health, errors.Join(err, svc.close())
}

// suspicious returns a signed event that data_velocity counts, and off_hours
// raises an alert about.
func suspicious(t *testing.T, secret string) *monitor.Event {
	t.Helper()
	key, err := newKey(secret)
	require.NoError(t, err)
	signer, err := crypto.NewSigner(key)
	require.NoError(t, err)
	e := &monitor.Event{
		ID: "e1", Timestamp: start(1), Action: "data.read", Status: monitor.StatusSuccess,
		PrincipalID: "mallory", OrganizationID: "acme",
	}
	require.NoError(t, signer.Sign(t.Context(), e))
	return e
}

func migrate(t *testing.T, server string) {
	t.Helper()
	require.NoError(t, pgalerts.Migrate(t.Context(), testservice.PostgresPool(t, server)))
}

// withUser returns the URL for that user, with the password, on that server.
func withUser(t *testing.T, server, user, addr string) string {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.User, u.Host = url.UserPassword(user, password), addr
	return u.String()
}

// demandPostgresPassword makes a server have a role "locked" with another
// password, and demand it.
func demandPostgresPassword(t *testing.T, server string) {
	t.Helper()
	testservice.PostgresExecute(t, server, `CREATE ROLE locked LOGIN PASSWORD 'another'`)
	pool := testservice.PostgresPool(t, server)
	var path string
	require.NoError(t, pool.QueryRow(t.Context(), `SHOW hba_file`).Scan(&path))
	rules, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("host all locked all scram-sha-256\n"), rules...), 0o600))
	testservice.PostgresExecute(t, server, `SELECT pg_reload_conf()`)
}
