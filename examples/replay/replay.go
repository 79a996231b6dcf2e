package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The exit statuses.
const (
	statusOK = iota
	statusBadLines
	statusUnusable
)

// run is the command.
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

// replay returns the number of bad lines, or why there is no going on.
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
	entries := newReader(in).entries()
	if s.byTime {
		entries = sorted(entries)
	}
	err = r.replay(ctx, entries)
	return r.bad, err
}

// A replayer judges the lines of a file.
type replayer struct {
	tester     *detect.Backtester
	timestamps *timestamps
	out        output
	messages   io.Writer
	bad, late  int
}

// replay judges all entries, and returns what keeps it from going on.
func (r *replayer) replay(ctx context.Context, entries iter.Seq2[entry, error]) error {
	for en, err := range entries {
		if err != nil {
			return err
		}
		if en.err != nil {
			r.reject(en.line, en.err)
			continue
		}
		if err := r.judge(ctx, en); err != nil {
			return err
		}
	}
	if r.bad > 0 {
		fmt.Fprintf(r.messages, "replay: bad lines: %d\n", r.bad)
	}
	if r.late > 0 {
		fmt.Fprintf(r.messages, "replay: events that came too late to be counted in their place (see -lateness): %d\n", r.late)
	}
	return r.out.close()
}

// judge judges an event and prints the findings that it gives rise to. An error
// is one of printing.
func (r *replayer) judge(ctx context.Context, en entry) error {
	result, err := r.tester.Process(ctx, en.line, en.event)
	switch {
	case err != nil:
		r.reject(en.line, err)
	case result.Timing == monitor.TimingTooLate:
		r.late++
	case result.Verification.Decision == monitor.DecisionAccept:
		r.timestamps.keep(en.line, en.event)
	}
	for i := range result.Findings {
		if err := r.out.print(r.finding(&result.Findings[i], en)); err != nil {
			return err
		}
	}
	return nil
}

// finding returns what is printed of a finding that an event gave rise to.
func (r *replayer) finding(f *monitor.Finding, en entry) finding {
	printed := finding{
		Line:           f.Event.Sequence,
		Rule:           f.Rule,
		Severity:       f.Severity,
		OrganizationID: f.OrganizationID,
		Key:            f.Key,
		Count:          f.Count,
		CompletedBy:    f.CompletedBy.Sequence,
		at:             f.Event.Timestamp,
	}
	if f.Rule == monitor.RuleTampered {
		printed.Rule = "integrity"
	}
	if f.Event.Sequence == en.line {
		printed.Timestamp = en.event.TimestampText()
	} else {
		printed.Timestamp = r.timestamps.text(f.OrganizationID, f.Event)
	}
	return printed
}

// reject reports a bad line.
func (r *replayer) reject(line uint64, err error) {
	r.bad++
	reason := err.Error()
	if invalid, ok := errors.AsType[*monitor.InvalidEventError](err); ok {
		if reason = invalid.Err.Error(); invalid.Field != "" {
			reason = fmt.Sprintf("field %q: %s", invalid.Field, reason)
		}
	}
	fmt.Fprintf(r.messages, "replay: line %d: %s\n", line, reason)
}

// sorted returns the entries in order of time, those without an event first.
func sorted(entries iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var events []entry
		for en, err := range entries {
			if err == nil && en.err == nil {
				events = append(events, en)
			} else if !yield(en, err) {
				return
			}
		}
		slices.SortStableFunc(events, func(a, b entry) int {
			return a.event.Timestamp.Compare(b.event.Timestamp)
		})
		for _, en := range events {
			if !yield(en, nil) {
				return
			}
		}
	}
}
