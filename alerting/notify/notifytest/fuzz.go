package notifytest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// Texts are texts that do harm in some format if they are not escaped.
func Texts() []string {
	return []string{
		Hostile,
		"=?utf-8?b?W1JFU09MVkVEXSBhbGwgaXMgd2VsbA==?=",
		"a =?utf-8?q?=0D=0AX-Injected:_yes?= =?utf-8?q?=E2=80=AE?= b",
		"<!channel> <@U123> <http://evil.example|all is well> @here *bold* :boom: `code`",
		"v1/account/token",
		"..",
		"a?priority=5&click=http://evil.example#f%2F%0d%0a",
		"one, two; three",
		`"}],"attachments":[{"text":"x"}],"x":{"`,
		"\x1b]0;title\a\x1b[31m\u009b31m",
		"nothing\u200b\u2060\ufeff to see\U000e0041",
		"\nStatus: resolved by bob\n\nOrganization: other",
		strings.Repeat("long ü", 5000),
		"\xff\xfe\x00",
		"",
	}
}

// FuzzText delivers notifications that have a fuzzed text in every field that may
// have text from events, and compares the request that a server receives with that
// about a harmless notification.
func FuzzText(f *testing.F, h HTTP, compare func(t *testing.T, n *alerting.Notification, harmless, got Received)) {
	f.Helper()
	for _, text := range Texts() {
		f.Add(text)
	}
	received := make(chan Received, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received <- receive(r)
		h.accept(w)
	}))
	f.Cleanup(s.Close)
	notifier := h.make(f, s.URL, Loopback(nil))
	sample := func() *alerting.Notification { return InStatus(monitor.AlertResolved) }
	check.NoError(f, "Notify", notifier.Notify(f.Context(), sample()))
	harmless := <-received
	f.Fuzz(func(t *testing.T, text string) {
		n := Filled(sample(), text)
		if err := notifier.Notify(t.Context(), n); err != nil {
			t.Fatalf("Notify = %v", err)
		}
		got := <-received
		compare(t, n, harmless, got)
		if want, names := slices.Sorted(maps.Keys(harmless.Header)), slices.Sorted(maps.Keys(got.Header)); !slices.Equal(want, names) {
			t.Errorf("headers %q, want %q", names, want)
		}
		for name, values := range got.Header {
			if len(values) != 1 || strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("header %s: %q", name, values)
			}
		}
	})
}

// safeError is what the error of a delivery may say.
var safeError = regexp.MustCompile(`^(refused permanently: )?notify: post: ` +
	`(status \d+( [A-Za-z' -]+)?|request or response is not valid HTTP|the response is cut off|connection (reset|failed)|timed out)` +
	`(: [\pL\pM0-9_'"` + "`" + `.,:;()\[\]{}!?… -]+)?` +
	`(; to be tried again after [0-9hms]+)?$`)

// FuzzResponse delivers a notification to a server with a fuzzed response, and looks
// at the result.
func FuzzResponse(f *testing.F, h HTTP) {
	f.Helper()
	for _, status := range []int{100, 101, 200, 202, 204, 299, 301, 400, 408, 425, 429, 451, 500, 503, 599, 999} {
		f.Add(status, "Retry-After: 7", refusal)
	}
	f.Add(429, "Retry-After: 99999999999999999999", "")
	f.Add(503, "Retry-After: Sun, 01 Mar 2026 12:00:30 GMT\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT", "")
	f.Add(200, "Content-Length: 5000", "short")
	f.Add(200, "Transfer-Encoding: chunked", "zz\r\n")
	f.Add(-1, "no header", "")
	response := make(chan string, 1)
	s := httptest.NewServer(hijacked(f, func(conn net.Conn) { _, _ = io.WriteString(conn, <-response) }))
	f.Cleanup(s.Close)
	notifier := h.make(f, s.URL, Loopback(nil))
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		text := fmt.Sprintf("HTTP/1.1 %d Status\r\n%s\r\n\r\n%s", status, header, body)
		response <- text
		err := notifier.Notify(t.Context(), Notification())
		parsed, parseErr := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: http.MethodPost})
		if parseErr == nil {
			defer parsed.Body.Close() //nolint:errcheck // there is no connection
			status = parsed.StatusCode
		}
		if err == nil {
			if parseErr != nil || status/100 != 1 && status/100 != 2 {
				t.Errorf("delivered after status %d, %v", status, parseErr)
			}
			return
		}
		if parseErr == nil && status == h.accepted() {
			t.Errorf("Notify = %v after status %d", err, status)
		}
		e := check.ErrorAs[*alerting.DeliveryError](t, "Notify", err)
		if !safeError.MatchString(err.Error()) || e.RetryAfter < 0 || e.RetryAfter > time.Hour {
			t.Errorf("Notify = %v, retry after %v", err, e.RetryAfter)
		}
		refused := status/100 == 3 || status/100 == 4 && !slices.Contains([]int{408, 425, 429}, status)
		if parseErr == nil && status/100 != 1 && e.Permanent != refused {
			t.Errorf("permanent = %v after status %d: %v", e.Permanent, status, err)
		}
	})
}

// Shape returns what remains of a JSON text without the values: names, kinds and
// lengths.
func Shape(tb testing.TB, text string) string {
	tb.Helper()
	var v any
	check.NoError(tb, "decode "+text, json.Unmarshal([]byte(text), &v))
	return shape(v)
}

func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&b, "%q: %s, ", name, shape(v[name]))
		}
		return "{" + b.String() + "}"
	case []any:
		var b strings.Builder
		for _, element := range v {
			b.WriteString(shape(element) + ", ")
		}
		return "[" + b.String() + "]"
	}
	return fmt.Sprintf("%T", v)
}
