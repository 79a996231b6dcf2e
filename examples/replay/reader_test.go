package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
		for rec, err := range in.records() {
			require.NoError(t, err)
			text, ok := skip()
			require.True(t, ok)
			require.Equal(t, line, rec.line)
			var e monitor.Event
			want := monitor.DecodeEvent(bytes.TrimSuffix(text, []byte("\r")), &e)
			if want != nil {
				require.EqualError(t, rec.err, want.Error(), "line %d", line)
				continue
			}
			require.NoError(t, rec.err, "line %d", line)
			require.Equal(t, e, *rec.event, "line %d", line)
		}
		_, ok := skip()
		require.False(t, ok, "line %d is lost", line)
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
		for rec, err := range newReader(strings.NewReader(input)).records() {
			require.NoError(t, err)
			lines++
			if errors.Is(rec.err, monitor.ErrTooLarge) {
				long = append(long, rec.line)
			} else {
				require.NoError(t, rec.err, "line %d", rec.line)
			}
		}
		assert.Equal(t, 7, lines)
		assert.Equal(t, []uint64{3, 5, 7}, long, "lines that are too long")
	}
}
