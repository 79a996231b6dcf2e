package testservice

import (
	"os"
	"path/filepath"
	"testing"
)

// A PostgresServer is a PostgreSQL server for one test alone. It has a database
// "test" and a superuser "test" without a password.
type PostgresServer struct{ *process }

// URL returns the connection string of the database.
func (s *PostgresServer) URL() string { return "postgres://test@" + s.Addr + "/test?sslmode=disable" }

// Postgres starts a PostgreSQL server. Its data survive a restart. Further
// arguments are those of postgres, such as "-c", "max_connections=5".
func Postgres(tb testing.TB, args ...string) *PostgresServer {
	tb.Helper()
	program := find(tb, "postgres", "postgresql")
	bin := filepath.Dir(program)
	if target, err := filepath.EvalSymlinks(program); err == nil {
		bin = filepath.Dir(target) // the folder of the other programs
	}
	a := unprivileged()
	dir := tempDir(tb, a)
	data := filepath.Join(dir, "data")
	port := FreePort(tb)
	s := &PostgresServer{&process{
		Addr: "127.0.0.1:" + port, tb: tb, name: "postgres", dir: dir, user: a, forks: true,
		// What a killed process has written is not lost, even without fsync.
		args: append([]string{program, "-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir,
			"-c", "fsync=off", "-c", "full_page_writes=off"}, args...),
		ready: func() error {
			return run(nil, dir, filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port, "-d", "postgres", "-U", "test")
		},
	}}
	s.must(run(a, dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"))
	s.must(s.start())
	tb.Cleanup(s.Kill)
	s.must(run(a, dir, filepath.Join(bin, "createdb"), "-h", "127.0.0.1", "-p", port, "-U", "test", "test"))
	return s
}

// PostgresURL returns the connection string of a server that tests may share: the
// one in AUDITWARDEN_TEST_POSTGRES_URL, or that of a new server.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("AUDITWARDEN_TEST_POSTGRES_URL"); url != "" {
		return url
	}
	return Postgres(tb).URL()
}
