package testservice

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// find returns the path of a program. It also looks where Debian keeps PgBouncer and
// the programs of PostgreSQL. If the program is missing it skips the test, or fails
// it.
func find(tb testing.TB, program, install string) string {
	tb.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, place := range []string{"/usr/sbin/", "/usr/lib/postgresql/*/bin/"} {
		if matches, _ := filepath.Glob(place + program); len(matches) > 0 {
			return matches[len(matches)-1]
		}
	}
	message := fmt.Sprintf("%s is not installed: install it (package %s), or run make test, which does", program, install)
	if os.Getenv("AUDITWARDEN_REQUIRE_SERVERS") == "1" {
		tb.Fatal(message)
	}
	tb.Skip(message)
	return ""
}

// run runs a program to its end.
func run(a *account, dir string, args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	runAs(cmd, a)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// tempDir returns a folder that belongs to an account, and is removed when the test
// ends. Unlike the folders of testing.TB it can be entered by a user who does not
// run the test.
func tempDir(tb testing.TB, a *account) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "auditwarden-")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	if a != nil {
		require.NoError(tb, os.Chown(dir, a.uid, a.gid))
	}
	return dir
}

// FreePort returns a port of the loopback interface on which nobody listens, nor
// on the one 10,000 above, which a node of a Redis Cluster needs as well. Both are
// below those that systems give to outgoing connections, so that none of these
// takes a port before the server does.
func FreePort(tb testing.TB) string {
	tb.Helper()
	var err error
	for range 100 {
		port := 10_000 + rand.IntN(12_000)
		if err = errors.Join(listen(port), listen(port+10_000)); err == nil {
			return strconv.Itoa(port)
		}
	}
	require.NoError(tb, err)
	return ""
}

// listen listens on a port for a moment.
func listen(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}
