package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"plain":               {"plain", "plain"},
		" a\tb\n":             {"a b", "a\tb"},
		"a\r\nb":              {"a  b", "a \nb"},
		"a\x00\x1b\x7f\u0085": {"a", "a"},
		"a\u2028b\u2029c":     {"a b c", "a b c"},
		"a\u202eb\u2066c":     {"a b c", "a b c"},
		"\xff\xfea":           {"\uFFFDa", "\uFFFDa"},
		"👩‍💻 ü":               {"👩‍💻 ü", "👩‍💻 ü"},
		"":                    {"", ""},
	} {
		check.Equal(t, fmt.Sprintf("Line(%q)", text), notify.Line(text), want[0])
		n := notifytest.Notification()
		n.Key = text
		_, body := render(t, notify.Templates{Body: "{{.Key}}"}, n)
		check.Equal(t, fmt.Sprintf("body %q", text), body, want[1])
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

func FuzzLine(f *testing.F) {
	f.Add("eve\r\nX-Injected: yes\u2028\xff", 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		got := notify.Line(text)
		if strings.ContainsAny(got, "\r\n\x00") || !utf8.ValidString(got) || notify.Line(got) != got {
			t.Errorf("Line(%q) = %q", text, got)
		}
		limit = max(3, limit%1000)
		if cut := notify.Clip(got, limit); len(cut) > limit || !utf8.ValidString(cut) {
			t.Errorf("Clip(%q, %d) = %q", got, limit, cut)
		}
	})
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
