package rediswindow

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The members of a window, as exchange.lua has them.
const (
	eventMember = 'e'
	lostMember  = 'a'

	timeSize    = 8
	keySize     = 16
	arrivalSize = 12
	markSize    = 8

	arrivalStart = 1 + timeSize + keySize
	markStart    = arrivalStart + arrivalSize
	idStart      = markStart + markSize
)

// appendTime appends a timestamp such that the bytes are in the order of the
// values.
func appendTime(b []byte, ts int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(ts)^1<<63)
}

// timeOf returns the timestamp of a member.
func timeOf(member string) int64 {
	return int64(binary.BigEndian.Uint64([]byte(member[1:1+timeSize])) ^ 1<<63)
}

// head returns the part of a member before the arrival.
func head(e *detect.WindowEvent) []byte {
	b := make([]byte, 0, arrivalStart)
	return append(appendTime(append(b, eventMember), e.Timestamp), e.Key[:]...)
}

// tail returns the part of a member behind the arrival.
func tail(e *detect.WindowEvent) []byte {
	b := make([]byte, 0, markSize+len(e.ID))
	return append(binary.BigEndian.AppendUint64(b, e.Mark), e.ID...)
}

// behind returns the bound between the events up to a time and those after it.
func behind(ts int64) []byte {
	if ts == math.MaxInt64 {
		return []byte{eventMember + 1}
	}
	return appendTime(append(make([]byte, 0, 1+timeSize), eventMember), ts+1)
}

// minus returns a - b for a b that is not negative, and the least number if that
// is less.
func minus(a, b int64) int64 {
	if a < math.MinInt64+b {
		return math.MinInt64
	}
	return a - b
}

// earliest returns the time of the earliest new event.
func earliest(q *detect.WindowRequest) int64 {
	return slices.MinFunc(q.Events, func(a, b detect.NewWindowEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) }).Timestamp
}

// upTo returns how many of the events, which are in order of time, are not later.
func upTo(events []detect.WindowEvent, ts int64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].Timestamp > ts })
}

// within returns how many of the events are within the span up to a time.
func within(events []detect.WindowEvent, ts int64, span time.Duration) int {
	return upTo(events, ts) - upTo(events, minus(ts, int64(span)))
}

// appendArguments appends the script's arguments for a request, whose window
// keeps its events until their time is this one and lives for so many
// milliseconds.
func appendArguments(args []any, q *detect.WindowRequest, lowest, life int64) []any {
	needed := behind(q.Horizon)
	bound := needed
	if q.Tail > 0 {
		bound = behind(earliest(q))
	}
	args = append(args, q.Limit, bound, q.Tail, needed, behind(lowest), life, len(q.Events))
	for i := range q.Events {
		e := &q.Events[i].WindowEvent
		args = append(args, head(e), tail(e), behind(minus(e.Timestamp, int64(q.Span))), behind(e.Timestamp))
	}
	return args
}

var errReply = errors.New("unexpected reply")

// answer reads the answer to a request from its part of the script's reply.
func answer(q *detect.WindowRequest, part any) (detect.WindowAnswer, error) {
	a := detect.WindowAnswer{Request: q, Lost: math.MinInt64}
	values, isList := part.([]any)
	if !isList {
		return a, errReply
	}
	members := make([]string, 0, len(values))
	var counts []int
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if len(v) == 1+timeSize && v[0] == lostMember {
				a.Lost = timeOf(v)
				continue
			}
			if len(v) < idStart || v[0] != eventMember {
				return a, fmt.Errorf("no member of a window: %q", v)
			}
			if timeOf(v) > q.Horizon {
				members = append(members, v)
			}
		case int64:
			counts = append(counts, int(v))
		default:
			return a, errReply
		}
	}
	if len(counts) != 1 && len(counts) != 1+len(q.Events) {
		return a, errReply
	}
	slices.SortFunc(members, func(a, b string) int {
		return cmp.Or(strings.Compare(a[:1+timeSize], b[:1+timeSize]), strings.Compare(a[arrivalStart:markStart], b[arrivalStart:markStart]))
	})
	a.Held = make([]detect.WindowEvent, len(members))
	for i, m := range members {
		a.Held[i] = detect.WindowEvent{
			Key:       monitor.EventKey([]byte(m[1+timeSize : arrivalStart])),
			Timestamp: timeOf(m),
			Mark:      binary.BigEndian.Uint64([]byte(m[markStart:idStart])),
			ID:        m[idStart:],
		}
	}
	a.Cut = counts[0]
	a.Hidden = counts[1:] // within the span, held or not
	for i := range a.Hidden {
		a.Hidden[i] -= within(a.Held, q.Events[i].Timestamp, q.Span)
	}
	return a, nil
}
