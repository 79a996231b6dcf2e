package rediswindow

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

// FuzzAnswer reads windows that somebody else wrote.
func FuzzAnswer(f *testing.F) {
	member := string(head(&detect.WindowEvent{Timestamp: 5})) + "arrival 1234" + string(tail(&detect.WindowEvent{Mark: 3, ID: "id"}))
	f.Add("", member, int64(0), int64(1))
	f.Add("a\x80\x00\x00\x00\x00\x00\x00\x05", "a\x80\x00\x00\x00\x00\x00\x00\x05", int64(2), int64(9))
	f.Add("a", "e", int64(-1), int64(-1))
	f.Fuzz(func(t *testing.T, lost, member string, cut, count int64) {
		a, err := parseAnswer([]any{lost, cut, []any{member, member}, []any{count}})
		if err != nil {
			t.Fatal(err)
		}
		w := &detect.Window{Horizon: math.MinInt64, New: make([]detect.WindowEvent, 1), Span: 10}
		if a.fill(w) != nil {
			return
		}
		for _, e := range w.Held {
			if got := string(head(&e)) + member[arrivalStart:markStart] + string(tail(&e)); got != member {
				t.Errorf("%q was read from %q", got, member)
			}
		}
	})
}

// TestReplies refuses what the script does not return.
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, part := range []any{
		nil, "text", []any{}, []any{"", int64(0), []any{}},
		[]any{int64(0), int64(0), []any{}, []any{}},
		[]any{"", "0", []any{}, []any{}},
		[]any{"", int64(0), "", []any{}},
		[]any{"", int64(0), []any{}, ""},
		[]any{"", int64(0), []any{int64(0)}, []any{}},
		[]any{"", int64(0), []any{}, []any{"0"}},
	} {
		if _, err := parseAnswer(part); err == nil {
			t.Errorf("%v is accepted", part)
		}
	}
	a := answer{counts: []int64{1, 2}}
	if err := a.fill(&detect.Window{New: make([]detect.WindowEvent, 1)}); err == nil {
		t.Error("two counts for one event are accepted")
	}
}

// FuzzTime holds the bytes of times to their order.
func FuzzTime(f *testing.F) {
	f.Add(int64(math.MinInt64), int64(math.MaxInt64))
	f.Add(int64(-1), int64(0))
	f.Add(int64(255), int64(256))
	f.Fuzz(func(t *testing.T, a, b int64) {
		before, after := appendTime([]byte{eventMember}, a), appendTime([]byte{eventMember}, b)
		if got, want := slices.Compare(before, after), cmp.Compare(a, b); got != want {
			t.Errorf("%d and %d: %d, want %d", a, b, got, want)
		}
		if got := timeOf(string(before)); got != a {
			t.Errorf("%d is read as %d", a, got)
		}
		if slices.Compare(after, behind(a)) < 0 != (b <= a) {
			t.Errorf("%d is on the wrong side of the bound behind %d", b, a)
		}
	})
}
