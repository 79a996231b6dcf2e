package testservice

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// PostgresPool returns a pool of connections, which is closed when the test ends.
func PostgresPool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(context.Background(), url)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	return pool
}

// PostgresSchema makes a schema for the test alone, and returns the URL of
// connections that work in it. It is dropped when the test ends.
func PostgresSchema(tb testing.TB, url string) string {
	tb.Helper()
	name := "t" + strings.ToLower(rand.Text())
	PostgresExecute(tb, url, `CREATE SCHEMA `+name)
	tb.Cleanup(func() { PostgresExecute(tb, url, `DROP SCHEMA `+name+` CASCADE`) })
	return WithParameter(tb, url, "search_path", name)
}

// PostgresExecute executes a statement on a connection of its own.
func PostgresExecute(tb testing.TB, url, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	pool, err := pgxpool.New(ctx, url)
	require.NoError(tb, err)
	defer pool.Close()
	_, err = pool.Exec(ctx, statement)
	require.NoError(tb, err, statement)
}

// WithParameter returns a URL with another parameter.
func WithParameter(tb testing.TB, rawURL, key, value string) string {
	tb.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(tb, err)
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// PostgresURL returns the connection string of a server for tests that leave it
// alone: the one of AUDITWARDEN_TEST_POSTGRES_URL, or of a private one.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("AUDITWARDEN_TEST_POSTGRES_URL"); url != "" {
		return url
	}
	return Postgres(tb).URL()
}
