package testservice

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

const postgresInstall = "package postgresql"

// A PostgresServer is a PostgreSQL of one test's own, with a database "test" and
// a superuser "test" without a password.
type PostgresServer struct {
	*process
	// Addr is host:port.
	Addr string
}

// URL returns the connection string of the database.
func (s *PostgresServer) URL() string {
	u := url.URL{Scheme: "postgres", User: url.User("test"), Host: s.Addr, Path: "/test", RawQuery: "sslmode=disable"}
	return u.String()
}

// Postgres starts a PostgreSQL server. Its data survive a restart. Further
// arguments are those of postgres, such as "-c", "max_connections=5".
func Postgres(tb testing.TB, args ...string) *PostgresServer {
	tb.Helper()
	program := find(tb, "postgres", postgresInstall)
	bin := filepath.Dir(program)
	if target, err := filepath.EvalSymlinks(program); err == nil {
		bin = filepath.Dir(target) // where the other programs are
	}
	a := unprivileged()
	dir := tempDir(tb, a)
	data := filepath.Join(dir, "data")
	port := freePort(tb)
	s := &PostgresServer{Addr: "127.0.0.1:" + port}
	s.process = &process{
		tb: tb, name: "postgres", dir: dir, user: a,
		// A killed process loses nothing that it has written, fsync or not.
		args: append([]string{program, "-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir,
			"-c", "fsync=off", "-c", "full_page_writes=off"}, args...),
		ready: func() error {
			return run(nil, dir, filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port, "-d", "postgres", "-U", "test")
		},
	}
	s.must(run(a, dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"))
	s.must(s.start())
	tb.Cleanup(s.Kill)
	s.must(run(a, dir, filepath.Join(bin, "createdb"), "-h", "127.0.0.1", "-p", port, "-U", "test", "test"))
	return s
}

// Kill ends the server as kill -9 of all its processes does.
func (s *PostgresServer) Kill() {
	s.tb.Helper()
	s.must(s.signalChildren(os.Kill))
	s.process.Kill()
}

// Pause makes the server hang, with all its processes.
func (s *PostgresServer) Pause() {
	s.tb.Helper()
	s.must(s.signalChildren(pauseSignal))
}

// Resume ends a Pause.
func (s *PostgresServer) Resume() {
	s.tb.Helper()
	s.must(s.signalChildren(resumeSignal))
	s.process.Resume()
}

// signalChildren sends a signal to the processes that serve connections, and
// pauses the one that starts them. They are not in its process group.
func (s *PostgresServer) signalChildren(signal os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	return signalChildren(s.cmd.Process, signal)
}
