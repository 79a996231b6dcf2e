package notify_test

import (
	"fmt"
	"mime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestEncodeHeader: a reader gets back what was there, and decodes nothing else.
func TestEncodeHeader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                           "plain",
		"Größe":                           "=?utf-8?b?R3LDtsOfZQ==?=",
		"=?utf-8?b?W1JFU09MVkVEXQ==?=":    "",
		"=?utf-8?q?=0D=0AX-Injected=3A?=": "",
		"a =?utf-8?q?=E2=80=AE?= b":       "",
		"=?=?":                            "",
		"=":                               "=",
		"line\r\nX-Injected: \u202e":      "",
		strings.Repeat("lang ü ", 40):     "",
		strings.Repeat("=?", 100):         "",
	} {
		got := notify.EncodeHeader(text)
		if want != "" {
			check.Equal(t, "header", got, want)
		}
		checkHeader(t, text, got)
	}
}

func checkHeader(t *testing.T, text, header string) {
	t.Helper()
	if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("the header of %q is %q", text, header)
	}
	for word := range strings.SplitSeq(header, " ") {
		if strings.HasPrefix(word, "=?") && len(word) > 75 {
			t.Errorf("word %q is too long", word)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(header); err != nil || got != notify.Line(text) {
		t.Errorf("%q is read as %q, %v", header, got, err)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "…"},
		{"abcdef", 5, "ab…"},
		{"aäöü", 6, "aä…"},
		{"aäöü", 5, "a…"},
		{"äöü", 6, "äöü"},
		{"😀😀", 7, "😀…"},
		{"😀😀", 6, "…"},
	} {
		check.Equal(t, fmt.Sprintf("Clip(%q, %d)", tt.text, tt.limit), notify.Clip(tt.text, tt.limit), tt.want)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("eve 😀\u2028\xff", 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		text, limit = notify.Line(text), max(3, limit%1000)
		if cut := notify.Clip(text, limit); len(cut) > limit || !utf8.ValidString(cut) {
			t.Errorf("Clip(%q, %d) = %q", text, limit, cut)
		}
	})
}

func FuzzEncodeHeader(f *testing.F) {
	f.Add("=?utf-8?b?W1JFU09MVkVEXQ==?=")
	f.Add("Größe \r\n\xff")
	f.Fuzz(func(t *testing.T, text string) { checkHeader(t, text, notify.EncodeHeader(text)) })
}

func TestColors(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for s := monitor.SeverityInfo; s <= monitor.SeverityCritical; s++ {
		if c := notify.Color(s); len(c) != 7 || seen[c] {
			t.Errorf("the color of %s is %q", s, c)
		}
		seen[notify.Color(s)] = true
	}
}
