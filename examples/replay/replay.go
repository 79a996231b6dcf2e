package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A replayer has the rules judge the records of a file.
type replayer struct {
	tester     *detect.Backtester
	timestamps *timestamps
	out        output
	messages   io.Writer
	bad, late  int
}

// replay judges all records. An error ends it: the input cannot be read or the
// output cannot be written.
func (r *replayer) replay(ctx context.Context, records iter.Seq2[record, error]) error {
	for rec, err := range records {
		if err != nil {
			return err
		}
		if rec.err != nil {
			r.reject(rec.line, rec.err)
			continue
		}
		if err := r.judge(ctx, rec); err != nil {
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

// judge judges an event and prints the findings that it causes. It returns the
// error of printing.
func (r *replayer) judge(ctx context.Context, rec record) error {
	result, err := r.tester.Process(ctx, rec.line, rec.event)
	switch {
	case err != nil:
		r.reject(rec.line, err)
	case result.Timing == monitor.TimingTooLate:
		r.late++
	case result.Verification.Decision == monitor.DecisionAccept:
		r.timestamps.keep(rec.line, rec.event)
	}
	for i := range result.Findings {
		if err := r.out.print(r.finding(&result.Findings[i], rec)); err != nil {
			return err
		}
	}
	return nil
}

// finding returns the form in which a finding, which the event of a record caused,
// is printed.
func (r *replayer) finding(f *monitor.Finding, rec record) finding {
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
	if f.Event.Sequence == rec.line {
		printed.Timestamp = rec.event.TimestampText()
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
