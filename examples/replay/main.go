// Command replay shows what the rules would have found in recorded audit events. It
// is there to try thresholds on history:
//
//	go run ./examples/replay -config thresholds.json events.jsonl
//
// It reads one event a line, goes by the timestamps of the events, and prints a
// JSON line for each qualifying event, or a table. See replay -h.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // -timezone must not depend on the machine

	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The exit statuses.
const (
	statusOK = iota
	statusBadLines
	statusUnusable
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command and returns its exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	bad, err := replay(context.Background(), args, stdin, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case err != nil:
		fmt.Fprintln(stderr, "replay:", err)
		return statusUnusable
	case bad > 0:
		return statusBadLines
	}
	return statusOK
}

// replay returns the number of bad lines, or the error that ended the replay.
func replay(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (bad int, err error) {
	s, err := parse(args, stdout)
	if err != nil {
		return 0, err
	}
	in := stdin
	if s.file != "-" {
		file, err := os.Open(s.file)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		in = file
	}
	tester, err := detect.NewBacktester(&s.test)
	if err != nil {
		return 0, err
	}
	r := &replayer{
		tester:     tester,
		timestamps: newTimestamps(s.test.Lateness),
		out:        newJSONLines(stdout),
		messages:   stderr,
	}
	if s.table {
		r.out = newTable(stdout)
	}
	if s.table && isTerminal(stderr) {
		p := &progress{in: in, terminal: stderr, size: sizeOf(in)}
		defer p.clear()
		in, r.messages = p, p
	}
	records := newReader(in).records()
	if s.byTime {
		records = sorted(records)
	}
	err = r.replay(ctx, records)
	return r.bad, err
}
