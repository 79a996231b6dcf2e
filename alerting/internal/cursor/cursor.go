// Package cursor encodes and decodes the position of an alert in a listing.
package cursor

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/monitor"
)

const maxID = 255 // bytes

// Of returns the cursor of an alert.
func Of(a *monitor.Alert) string {
	plain := strconv.AppendInt(nil, a.CreatedAt.UnixMicro(), 10)
	plain = append(append(plain, ' '), a.ID...)
	return base64.RawURLEncoding.EncodeToString(plain)
}

// Parse decodes a cursor. It returns the creation time of the alert, in whole
// microseconds, and its ID.
func Parse(cursor string) (createdAt time.Time, id string, err error) {
	bad := errors.New("is not a cursor")
	plain, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return time.Time{}, "", bad
	}
	stamp, id, found := strings.Cut(string(plain), " ")
	micros, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !found || len(id) > maxID || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return time.Time{}, "", bad
	}
	return time.UnixMicro(micros).UTC(), id, nil
}
