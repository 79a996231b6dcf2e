package alerting

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Cursor returns the alert's place in every listing, for [Query] After. It is
// opaque, safe in a URL, and stays valid when the alert is changed or deleted.
func Cursor(a *monitor.Alert) string {
	plain := strconv.AppendInt(nil, a.CreatedAt.UnixMicro(), 10)
	plain = append(append(plain, ' '), a.ID...)
	return base64.RawURLEncoding.EncodeToString(plain)
}

// ParseCursor returns the place that a [Cursor] stands for: the creation time of
// an alert, in whole microseconds, and its ID. Listings are sorted by these two,
// newest first, then by descending ID. The error is an [InvalidError].
func ParseCursor(cursor string) (createdAt time.Time, id string, err error) {
	bad := invalid("Query.After", "is not a cursor")
	plain, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return time.Time{}, "", bad
	}
	stamp, id, found := strings.Cut(string(plain), " ")
	micros, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !found || checkText("id", id, maxName) != nil {
		return time.Time{}, "", bad
	}
	return time.UnixMicro(micros).UTC(), id, nil
}

// Newest orders alerts as listings do, for [slices.SortFunc].
func Newest(a, b *monitor.Alert) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
}
