package rediswindow

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

// FuzzAnswer reads windows that somebody else wrote.
func FuzzAnswer(f *testing.F) {
	member := string(head(&detect.WindowEvent{Timestamp: 5})) + "arrival 1234" + string(tail(&detect.WindowEvent{Mark: 3, ID: "id"}))
	f.Add(member, "", int64(0), int64(1))
	f.Add(member, "a\x80\x00\x00\x00\x00\x00\x00\x05", int64(2), int64(9))
	f.Add("e", "a", int64(-1), int64(-1))
	f.Fuzz(func(t *testing.T, member, other string, cut, count int64) {
		q := &detect.WindowRequest{Horizon: math.MinInt64, Events: make([]detect.NewWindowEvent, 1), Span: 10}
		a, err := answer(q, []any{member, member, other, cut, count})
		if err != nil {
			return
		}
		for _, e := range a.Held {
			begin, end := string(head(&e)), string(tail(&e))
			same := func(m string) bool {
				return strings.HasPrefix(m, begin) && len(m) == len(begin)+arrivalSize+len(end) && strings.HasSuffix(m, end)
			}
			assert.True(t, same(member) || same(other), "%+v was read from %q and %q", e, member, other)
		}
	})
}

// TestReplies refuses what the script does not return.
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, part := range []any{
		nil, "text", int64(0),
		[]any{},
		[]any{nil},
		[]any{[]any{}, int64(0)},
		[]any{"x", int64(0)},
		[]any{int64(0), int64(1), int64(2)},
	} {
		_, err := answer(&detect.WindowRequest{Events: make([]detect.NewWindowEvent, 1)}, part)
		require.Error(t, err, "%v", part)
	}
}

// FuzzTime holds the bytes of times to their order.
func FuzzTime(f *testing.F) {
	f.Add(int64(math.MinInt64), int64(math.MaxInt64))
	f.Add(int64(-1), int64(0))
	f.Add(int64(255), int64(256))
	f.Fuzz(func(t *testing.T, a, b int64) {
		before, after := appendTime([]byte{eventMember}, a), appendTime([]byte{eventMember}, b)
		assert.Equal(t, cmp.Compare(a, b), slices.Compare(before, after), "%d and %d", a, b)
		assert.Equal(t, a, timeOf(string(before)))
		assert.Equal(t, b <= a, slices.Compare(after, behind(a)) < 0, "%d is on the wrong side of the bound behind %d", b, a)
	})
}
