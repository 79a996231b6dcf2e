package testservice

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// A PgBouncerServer pools connections to a PostgreSQL server, for one test alone.
type PgBouncerServer struct {
	*process

	// NamedStatements reports whether it follows named prepared statements from one
	// connection to the next, as version 1.21 and later do.
	NamedStatements bool
}

// PgBouncer starts a PgBouncer that pools transactions: each transaction can get
// another of three connections to the PostgreSQL server with this URL.
func PgBouncer(tb testing.TB, postgresURL string) *PgBouncerServer {
	tb.Helper()
	program := find(tb, "pgbouncer", "pgbouncer")
	server, err := pgconn.ParseConfig(postgresURL)
	require.NoError(tb, err)
	a := unprivileged()
	dir := tempDir(tb, a)
	port := FreePort(tb)
	named := namedStatements(tb, program)
	config := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(tb, os.WriteFile(config, []byte(pgBouncerConfig(server, port, named)), 0o644)) //nolint:gosec // read by another user
	s := &PgBouncerServer{
		process: &process{
			Addr: "127.0.0.1:" + port, tb: tb, name: "pgbouncer", dir: dir, user: a,
			args: []string{program, "-q", config},
		},
		NamedStatements: named,
	}
	s.ready = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.URL(postgresURL))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
}

func pgBouncerConfig(server *pgconn.Config, port string, namedStatements bool) string {
	login, options := "", ""
	if server.Password != "" { // the format knows no empty value
		login = fmt.Sprintf(" password='%s'", server.Password)
	}
	if namedStatements {
		options = "max_prepared_statements = 100\n"
	}
	return fmt.Sprintf(`[databases]
* = host='%s' port=%d user='%s'%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 1000
server_login_retry = 1
%s`, server.Host, server.Port, server.User, login, port, options)
}

// URL returns the connection string of a database of the server through the pooler,
// given the one without it. It has no other parameters, of which a pooler knows few.
func (s *PgBouncerServer) URL(postgresURL string) string {
	s.tb.Helper()
	u, err := url.Parse(postgresURL)
	s.must(err)
	u.Host, u.RawQuery = s.Addr, "sslmode=disable"
	return u.String()
}

// namedStatements reports whether a PgBouncer has the option max_prepared_statements.
func namedStatements(tb testing.TB, program string) bool {
	tb.Helper()
	out, err := exec.Command(program, "--version").Output()
	require.NoError(tb, err)
	var major, minor int
	_, err = fmt.Sscanf(string(out), "PgBouncer %d.%d", &major, &minor)
	require.NoError(tb, err, "%s", out)
	return major > 1 || minor >= 21
}
