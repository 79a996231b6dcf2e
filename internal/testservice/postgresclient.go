package testservice

import (
	"context"
	"crypto/rand"
	"net/url"
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

// PostgresSchema creates a schema for the test alone, which is dropped when the
// test ends. It returns the URL of connections that work in that schema.
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
	pool := PostgresPool(tb, url)
	defer pool.Close()
	_, err := pool.Exec(ctx, statement)
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

// PostgresDatabase creates a database for the test alone, which is dropped when the
// test ends, and returns its URL. Tests that a schema can keep apart should use
// [PostgresSchema], which is faster.
func PostgresDatabase(tb testing.TB, rawURL string) string {
	tb.Helper()
	name := "t" + strings.ToLower(rand.Text())
	PostgresExecute(tb, rawURL, `CREATE DATABASE `+name)
	tb.Cleanup(func() { PostgresExecute(tb, rawURL, `DROP DATABASE `+name+` WITH (FORCE)`) })
	u, err := url.Parse(rawURL)
	require.NoError(tb, err)
	u.Path = "/" + name
	return u.String()
}
