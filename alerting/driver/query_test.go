package driver_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	for _, a := range []*monitor.Alert{
		{},
		{ID: "018f0000-0000-7000-8000-000000000000", CreatedAt: at(0).Add(123456 * time.Microsecond)},
		{ID: "with space/ü", CreatedAt: time.UnixMicro(-1)},
	} {
		cursor := alerting.Cursor(a)
		if url.QueryEscape(cursor) != cursor {
			t.Errorf("cursor %s needs escaping", cursor)
		}
		created, id, err := driver.ParseCursor(cursor)
		if err != nil || id != a.ID || !created.Equal(a.CreatedAt.Truncate(time.Microsecond)) {
			t.Errorf("ParseCursor(Cursor(%q, %v)) = %q, %v, %v", a.ID, a.CreatedAt, id, created, err)
		}
	}
}

func TestParseCursorInput(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	for _, cursor := range []string{
		"", "!", encode([]byte("1")), encode([]byte("x id")), encode([]byte("99999999999999999999 id")),
		encode([]byte("1 a\x00b")), encode([]byte("1 \xff")), encode([]byte("1 " + strings.Repeat("x", 256))),
		encode([]byte("1 id")) + "==", "MSBpZB", // stray bits
	} {
		_, _, err := driver.ParseCursor(cursor)
		if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field != "Query.After" {
			t.Errorf("ParseCursor(%q): error %v", cursor, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(alerting.Cursor(&monitor.Alert{ID: "018f0000-0000-7000-8000-000000000000", CreatedAt: at(0)}))
	f.Fuzz(func(t *testing.T, cursor string) {
		created, id, err := driver.ParseCursor(cursor)
		if err != nil {
			return
		}
		a := &monitor.Alert{ID: id, CreatedAt: created}
		again, sameID, err := driver.ParseCursor(alerting.Cursor(a))
		if err != nil || sameID != id || !again.Equal(created) {
			t.Fatalf("%q is %v %q, and that is %v %q, %v", cursor, created, id, again, sameID, err)
		}
	})
}

func TestNewest(t *testing.T) {
	t.Parallel()
	older := &monitor.Alert{ID: "b", CreatedAt: at(0)}
	for _, newer := range []*monitor.Alert{
		{ID: "a", CreatedAt: at(1)},
		{ID: "c", CreatedAt: at(0)},
	} {
		if driver.Newest(newer, older) >= 0 || driver.Newest(older, newer) <= 0 {
			t.Errorf("%v is not before %v", newer, older)
		}
	}
	if driver.Newest(older, older) != 0 {
		t.Error("an alert is newer than itself")
	}
}
