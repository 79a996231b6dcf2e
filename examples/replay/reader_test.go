package main

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/auditwarden/auditwarden/monitor"
)

// FuzzReader compares with the plainest reader there is: every line is an event,
// bad or blank.
func FuzzReader(f *testing.F) {
	f.Add([]byte(logins(1, 2)), false)
	f.Add([]byte("\n\n{}\r\n \t\r\n"+logins(3)+"no end"), true)
	f.Add([]byte("\x00\xff\n{\"a\":\n\r\r\n"), false)
	f.Add([]byte("  "+logins(4)+"\v\n\u00a0\n"), true)
	f.Add([]byte("x"), false)
	f.Fuzz(func(t *testing.T, input []byte, slow bool) {
		rest := bytes.Split(input, []byte("\n"))
		if len(rest[len(rest)-1]) == 0 {
			rest = rest[:len(rest)-1]
		}
		in := newReader(bytes.NewReader(input))
		if slow {
			in = newReader(iotest.OneByteReader(bytes.NewReader(input)))
		}
		line := uint64(0)
		skip := func() (text []byte, ok bool) {
			for len(rest) > 0 {
				text, rest = rest[0], rest[1:]
				line++
				if strings.Trim(string(text), " \t\r") != "" {
					return text, true
				}
			}
			return nil, false
		}
		for en, err := range in.entries() {
			if err != nil {
				t.Fatal(err)
			}
			text, ok := skip()
			if !ok || en.line != line {
				t.Fatalf("line %d, want %d", en.line, line)
			}
			var e monitor.Event
			want := monitor.DecodeEvent(bytes.TrimSuffix(text, []byte("\r")), &e)
			switch {
			case (want == nil) != (en.err == nil):
				t.Fatalf("line %d: error %v, want %v", line, en.err, want)
			case want != nil && want.Error() != en.err.Error():
				t.Fatalf("line %d: error %v, want %v", line, en.err, want)
			case want == nil && !reflect.DeepEqual(*en.event, e):
				t.Fatalf("line %d: event %+v, want %+v", line, *en.event, e)
			}
		}
		if _, ok := skip(); ok {
			t.Fatalf("line %d is lost", line)
		}
	})
}

// TestLongLines has lines around the limit, before, at and behind which reading
// goes on.
func TestLongLines(t *testing.T) {
	t.Parallel()
	whole := strings.TrimSpace(logins(1))
	sized := func(n int) string {
		return strings.TrimSuffix(whole, "}") + `,"x":"` + strings.Repeat("x", n-len(whole)-len(`,"x":""`)) + `"}`
	}
	for _, end := range []string{"\n", "\r\n"} {
		input := strings.Join([]string{
			sized(monitor.MaxEventSize), whole, sized(monitor.MaxEventSize + 1), whole,
			strings.Repeat(" ", 5*monitor.MaxEventSize), whole, sized(monitor.MaxEventSize + 1),
		}, end)
		var long []uint64
		lines := 0
		for en, err := range newReader(strings.NewReader(input)).entries() {
			if err != nil {
				t.Fatal(err)
			}
			lines++
			switch {
			case errors.Is(en.err, monitor.ErrTooLarge):
				long = append(long, en.line)
			case en.err != nil:
				t.Errorf("line %d: %v", en.line, en.err)
			}
		}
		if want := []uint64{3, 5, 7}; lines != 7 || !reflect.DeepEqual(long, want) {
			t.Errorf("%d lines, too long are %v, want %v", lines, long, want)
		}
	}
}
