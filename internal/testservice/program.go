package testservice

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// find returns the path of a program. It also looks where Debian keeps the
// programs of PostgreSQL. If the program is missing it skips the test, or fails it.
func find(tb testing.TB, program, install string) string {
	tb.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	matches, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(matches) > 0 {
		return matches[len(matches)-1]
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

// FreePort returns a port of the loopback interface on which nobody listens.
func FreePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer l.Close() //nolint:errcheck // it was never used
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(tb, err)
	return port
}
