// Package testservice gives tests servers of their own: Redis, a Redis Cluster,
// PostgreSQL. It starts the programs that are installed on the machine, on free
// ports of the loopback interface and in temporary folders, and stops them when
// the test ends.
//
// A test can kill its server, start it again with the data it had, and hold it
// as if the machine hung. Where the program is missing the test is skipped with
// a message that says what to install, or fails if AUDITWARDEN_REQUIRE_SERVERS
// is 1.
package testservice

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTimeout is how long a server may take to answer.
const startTimeout = 30 * time.Second

// process is a server that this package runs.
type process struct {
	tb    testing.TB
	name  string
	args  []string
	user  *account // nil: the user of the test
	dir   string
	ready func() error

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	log    bytes.Buffer
}

// start starts the program and waits until it answers.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return fmt.Errorf("%s is running", p.name)
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	runAs(cmd, p.user)
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended is in its log
	}()
	p.cmd, p.exited = cmd, exited
	return p.await()
}

// await waits until the server answers or has exited.
func (p *process) await() error {
	deadline := time.After(startTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ready()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			p.cmd = nil
			return fmt.Errorf("%s exited: %w\n%s", p.name, err, p.log.String())
		case <-deadline:
			return fmt.Errorf("%s does not answer: %w", p.name, err)
		}
	}
}

// signal sends a signal, and waits for the end of a process that it ends.
func (p *process) signal(s os.Signal, ends bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if ends {
		<-p.exited
		p.cmd = nil
	}
	return nil
}

// must fails the test on an error.
func (p *process) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatalf("testservice: %s: %v", p.name, err)
	}
}

// Kill ends the server as kill -9 does.
func (p *process) Kill() {
	p.tb.Helper()
	p.must(p.signal(os.Kill, true))
}

// Restart starts a killed server again, with the data it had.
func (p *process) Restart() {
	p.tb.Helper()
	p.must(p.start())
}

// Pause makes the server hang: connections stay open and nothing is answered.
func (p *process) Pause() {
	p.tb.Helper()
	p.must(p.signal(pauseSignal, false))
}

// Resume ends a Pause.
func (p *process) Resume() {
	p.tb.Helper()
	p.must(p.signal(resumeSignal, false))
}

// find returns the path of a program, looking also where Debian keeps those of
// PostgreSQL. If it is missing it skips the test, or fails it.
func find(tb testing.TB, program, install string) string {
	tb.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	matches, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(matches) > 0 {
		return matches[len(matches)-1]
	}
	message := fmt.Sprintf("%s is not installed: install it (%s), or run make test, which does", program, install)
	if os.Getenv("AUDITWARDEN_REQUIRE_SERVERS") == "1" {
		tb.Fatal(message)
	}
	tb.Skip(message)
	return ""
}

// tempDir returns a folder of the account's. Unlike that of testing.TB it can be
// entered by another user than the one who runs the test.
func tempDir(tb testing.TB, a *account) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "auditwarden-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if a != nil {
		if err := os.Chown(dir, a.uid, a.gid); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// freePort returns a loopback port that nobody listens on.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was never used
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
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

// account is a user that a server runs as.
type account struct{ uid, gid int }
