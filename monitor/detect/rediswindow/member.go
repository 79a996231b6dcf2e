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
	return appendTime([]byte{eventMember}, ts+1)
}

// start returns the time that the span up to a timestamp begins after.
func start(ts, span int64) int64 {
	if ts < math.MinInt64+span {
		return math.MinInt64
	}
	return ts - span
}

// appendArguments appends the script's arguments for a window, which lives for so many
// milliseconds.
func appendArguments(args []any, w *detect.Window, life int64) []any {
	earliest := w.New[0].Timestamp
	for i := range w.New {
		earliest = min(earliest, w.New[i].Timestamp)
	}
	var lowest []byte
	if w.Horizon != math.MinInt64 {
		lowest = behind(w.Horizon)
	}
	args = append(args, w.Limit, w.Tail, behind(earliest), lowest, life, len(w.New))
	for i := range w.New {
		e := &w.New[i]
		args = append(args, head(e), tail(e), behind(start(e.Timestamp, int64(w.Span))), behind(e.Timestamp))
	}
	return args
}

// answer is what the script returns for a window.
type answer struct {
	lost   string
	cut    int64
	held   []string
	counts []int64
}

var errReply = errors.New("unexpected reply")

// parseAnswer reads a part of the script's reply.
func parseAnswer(part any) (a answer, err error) {
	fields, ok := part.([]any)
	if !ok || len(fields) != 4 {
		return a, errReply
	}
	lost, isText := fields[0].(string)
	cut, isNumber := fields[1].(int64)
	held, areMembers := fields[2].([]any)
	counts, areCounts := fields[3].([]any)
	if !isText || !isNumber || !areMembers || !areCounts {
		return a, errReply
	}
	a = answer{lost: lost, cut: cut, held: make([]string, len(held)), counts: make([]int64, len(counts))}
	for i := range held {
		if a.held[i], ok = held[i].(string); !ok {
			return a, errReply
		}
	}
	for i := range counts {
		if a.counts[i], ok = counts[i].(int64); !ok {
			return a, errReply
		}
	}
	return a, nil
}

// fill fills in a window.
func (a *answer) fill(w *detect.Window) error {
	w.Held, w.Lost, w.Cut = make([]detect.WindowEvent, 0, len(a.held)), math.MinInt64, int(a.cut)
	if a.lost != "" {
		if len(a.lost) != 1+timeSize {
			return fmt.Errorf("no member of a window: %q", a.lost)
		}
		w.Lost = timeOf(a.lost)
	}
	members := a.held
	if a.lost != "" && len(members) > 0 && members[0] == a.lost {
		members = members[1:]
	}
	for _, m := range members {
		if len(m) < idStart || m[0] != eventMember {
			return fmt.Errorf("no member of a window: %q", m)
		}
	}
	slices.SortFunc(members, func(a, b string) int {
		return cmp.Or(strings.Compare(a[:1+timeSize], b[:1+timeSize]), strings.Compare(a[arrivalStart:markStart], b[arrivalStart:markStart]))
	})
	for _, m := range members {
		if timeOf(m) <= w.Horizon {
			continue
		}
		w.Held = append(w.Held, detect.WindowEvent{
			Key:       monitor.EventKey([]byte(m[1+timeSize : arrivalStart])),
			Timestamp: timeOf(m),
			Mark:      binary.BigEndian.Uint64([]byte(m[markStart:idStart])),
			ID:        m[idStart:],
		})
	}
	switch len(a.counts) {
	case 0: // nothing was left out
		for i := range w.New {
			w.New[i].Hidden = 0
		}
	case len(w.New):
		a.hide(w)
	default:
		return errReply
	}
	return nil
}

// hide fills in how many events of each new one's span were left out.
func (a *answer) hide(w *detect.Window) {
	upTo := func(ts int64) int {
		return sort.Search(len(w.Held), func(i int) bool { return w.Held[i].Timestamp > ts })
	}
	for i := range w.New {
		e := &w.New[i]
		e.Hidden = int(a.counts[i]) - (upTo(e.Timestamp) - upTo(start(e.Timestamp, int64(w.Span))))
	}
}
