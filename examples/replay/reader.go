package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
)

// A record is a line that is not blank: an event, or the reason why it is none.
type record struct {
	line  uint64 // from 1
	event *monitor.Event
	err   error
}

// A reader reads events, one a line.
type reader struct {
	in   *bufio.Reader
	line uint64
	text []byte
}

func newReader(in io.Reader) *reader {
	return &reader{in: bufio.NewReaderSize(in, 1<<16)}
}

// records returns the records of the input. If the input cannot be read further, an
// error comes last.
func (r *reader) records() iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for {
			text, long, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(record{}, err)
				}
				return
			}
			rec := record{line: r.line}
			switch {
			case long:
				rec.err = fmt.Errorf("the line is longer than %d bytes: %w", monitor.MaxEventSize, monitor.ErrTooLarge)
			case len(bytes.Trim(text, " \t\r")) == 0:
				continue
			default:
				rec.event = new(monitor.Event)
				rec.err = monitor.DecodeEvent(text, rec.event)
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// next reads a line and returns it without its end, \n or \r\n. The text is valid
// until the next call, and incomplete if the line is too long for an event. The
// error is [io.EOF] when there is no further line.
func (r *reader) next() (text []byte, long bool, err error) {
	const longest = monitor.MaxEventSize + len("\r\n")
	r.text = r.text[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.text) <= longest {
			r.text = append(r.text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.text) > 0: // a last line without its end
		case err != nil:
			return nil, false, err
		}
		break
	}
	r.line++
	text = bytes.TrimSuffix(r.text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return text, len(text) > monitor.MaxEventSize, nil
}

// sorted returns the records in order of time, after those that are not events.
func sorted(records iter.Seq2[record, error]) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		var events []record
		for rec, err := range records {
			if err == nil && rec.err == nil {
				events = append(events, rec)
			} else if !yield(rec, err) {
				return
			}
		}
		slices.SortStableFunc(events, func(a, b record) int {
			return a.event.Timestamp.Compare(b.event.Timestamp)
		})
		for _, rec := range events {
			if !yield(rec, nil) {
				return
			}
		}
	}
}
