package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/auditwarden/auditwarden/monitor"
)

// An entry is a line that is not blank: an event, or what is wrong with it.
type entry struct {
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

// entries returns the lines of the input. What keeps it from being read comes
// last, as an error.
func (r *reader) entries() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for {
			text, long, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(entry{}, err)
				return
			}
			en := entry{line: r.line}
			switch {
			case long:
				en.err = fmt.Errorf("the line is longer than %d bytes: %w", monitor.MaxEventSize, monitor.ErrTooLarge)
			case len(bytes.Trim(text, " \t\r")) == 0:
				continue
			default:
				en.event = new(monitor.Event)
				en.err = monitor.DecodeEvent(text, en.event)
			}
			if !yield(en, nil) {
				return
			}
		}
	}
}

// next reads a line and returns it without its end, \n or \r\n. The text is
// valid until the next call. Of a line that is too long for an event it returns
// only that. The error is [io.EOF] when there is no further line.
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
