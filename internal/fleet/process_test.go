package fleet_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A process is an instance that runs.
type process struct {
	tb    testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
	log   bytes.Buffer
	queue *queue
	gone  chan struct{} // closed when it has ended
	dies  atomic.Bool   // it is killed
	// dieAfter is the batch after which it is killed: it is processed, and not
	// acknowledged; 0 for none.
	dieAfter atomic.Int64

	retries *retries     // of all instances
	held    atomic.Int64 // repeats that it held back in its last batch
	batches atomic.Int64 // that it has processed

	seen       map[string]bool // events that it has stored
	events     int             // that it has stored
	duplicates int             // of these, those that it had stored before
}

// retries are what instances had to try again.
type retries struct {
	count atomic.Int64
	last  atomic.Pointer[string] // why
}

func (r *retries) String() string {
	last := r.last.Load()
	if last == nil {
		return "no retries"
	}
	return fmt.Sprintf("%d retries, the last because of: %.300s", r.count.Load(), *last)
}

// startProcess starts an instance.
func startProcess(tb testing.TB, s settings, q *queue, r *retries) *process {
	tb.Helper()
	program, err := os.Executable()
	require.NoError(tb, err)
	text, err := json.Marshal(s)
	require.NoError(tb, err)
	p := &process{tb: tb, cmd: exec.Command(program), queue: q, gone: make(chan struct{}), retries: r, seen: map[string]bool{}}
	p.cmd.Env = append(os.Environ(), settingsVariable+"="+string(text))
	p.cmd.Stderr = &p.log
	p.in, err = p.cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(tb, err)
	p.lines = bufio.NewScanner(out)
	require.NoError(tb, p.cmd.Start())
	return p
}

// work hands batches of the queue to the instance until the queue is closed or the
// instance dies, and waits for its end.
func (p *process) work() {
	defer close(p.gone)
	for alive := true; alive; {
		batch, ok := p.queue.take(&p.dies)
		if !ok {
			break
		}
		alive = p.handle(batch)
		p.queue.settle(batch, alive)
	}
	p.in.Close()
	for p.lines.Scan() {
		p.hear(p.lines.Text())
	}
	if err := p.cmd.Wait(); !p.dies.Load() {
		assert.NoError(p.tb, err, "an instance ended: %s", p.log.String())
	}
}

// handle gives the instance a batch and reports whether it was acknowledged.
func (p *process) handle(batch []delivery) bool {
	var text []byte
	for _, d := range batch {
		text = append(append(text, d.line...), '\n')
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		return false
	}
	for p.lines.Scan() {
		if p.hear(p.lines.Text()) && !p.dies.Load() {
			p.count(batch)
			return true
		}
	}
	return false
}

// hear takes in what the instance says, and reports whether that is that a batch
// is stored.
func (p *process) hear(line string) bool {
	switch what, more, _ := strings.Cut(line, " "); what {
	case saysRetry:
		p.retries.count.Add(1)
		p.retries.last.Store(&more)
	case saysProcessed:
		held, err := strconv.Atoi(more)
		if err != nil {
			p.tb.Errorf("an instance says %q", line)
		}
		p.held.Store(int64(held))
		if p.batches.Add(1) == p.dieAfter.Load() {
			p.die()
		}
	case saysStored:
		return true
	default:
		p.tb.Errorf("an instance says %q", line)
	}
	return false
}

func (p *process) count(batch []delivery) {
	for _, d := range batch {
		p.events++
		if p.seen[d.id] {
			p.duplicates++
		}
		p.seen[d.id] = true
	}
}

// die ends the instance as kill -9 does. What it may still say is not heard.
func (p *process) die() {
	p.dies.Store(true)
	p.cmd.Process.Kill()
}

// kill ends the instance and waits.
func (p *process) kill() {
	p.die()
	p.queue.wake()
	<-p.gone
}
