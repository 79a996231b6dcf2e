package testservice

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout is how long a server may take until it responds.
const startTimeout = 30 * time.Second

// A process is a server that this package runs.
type process struct {
	// Addr is host:port.
	Addr string

	tb    testing.TB
	name  string
	args  []string
	user  *account // nil: the user who runs the test
	dir   string
	ready func() error // returns nil once the server responds
	forks bool         // connections are served by children of the process

	mu     sync.Mutex
	cmd    *exec.Cmd // nil while the server does not run
	exited chan struct{}
	log    bytes.Buffer
}

// start starts the program and waits until it responds.
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
		_ = cmd.Wait() // its log says how it ended
	}()
	p.cmd, p.exited = cmd, exited
	return p.await(p.ready)
}

// await waits until the server is ready or has exited.
func (p *process) await(ready func() error) error {
	deadline := time.After(startTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			p.cmd = nil
			return fmt.Errorf("%s exited: %w\n%s", p.name, err, p.log.String())
		case <-deadline:
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		}
	}
}

// signal sends a signal, to the children first. If the signal ends the process it
// waits for that.
func (p *process) signal(s os.Signal, ends bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	if p.forks {
		if err := signalChildren(p.cmd.Process, s); err != nil {
			return err
		}
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

// must fails the test if there is an error.
func (p *process) must(err error) {
	p.tb.Helper()
	require.NoError(p.tb, err, p.name)
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

// Pause makes the server hang: connections stay open, and it does not respond.
func (p *process) Pause() {
	p.tb.Helper()
	p.must(p.signal(pauseSignal, false))
}

// Resume ends a Pause.
func (p *process) Resume() {
	p.tb.Helper()
	p.must(p.signal(resumeSignal, false))
}
