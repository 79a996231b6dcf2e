package printable_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/printable"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{ // as one line, and as lines
		"plain":                     {"plain", "plain"},
		" a\tb\n":                   {"a b", "a\tb"},
		"a\r\nb":                    {"a  b", "a \nb"},
		"a\x00\x1b\x7f\u0085":       {"a", "a"},
		"a\u009b31mb":               {"a 31mb", "a 31mb"}, // an escape sequence of a terminal
		"a\u2028b\u2029c":           {"a b c", "a b c"},
		"a\u202eb\u2066c":           {"a b c", "a b c"},
		"a\u200bb\u2060c\ufeffd":    {"a b c d", "a b c d"}, // of no width
		"a\u00adb\u034fc\u3164d":    {"a b c d", "a b c d"}, // of no shape
		"a\U000e0041b":              {"a b", "a b"},         // a tag
		"a\u200db\u200cc\ufe0fd":    {"a b c d", "a b c d"}, // nothing to join
		"\u00a0\u200da":             {"a", "a"},
		"ü\u200d\u200dü":            {"ü\u200d ü", "ü\u200d ü"},
		"\xff\xfea":                 {"\uFFFDa", "\uFFFDa"},
		"👩\u200d💻 ü ❤\ufe0f\u200d🔥": {"👩\u200d💻 ü ❤\ufe0f\u200d🔥", "👩\u200d💻 ü ❤\ufe0f\u200d🔥"},
		"نمی\u200cخواهم \u0600۱":    {"نمی\u200cخواهم \u0600۱", "نمی\u200cخواهم \u0600۱"},
		"":                          {"", ""},
	} {
		check.Equal(t, fmt.Sprintf("Line(%q)", text), printable.Line(text), want[0])
		check.Equal(t, fmt.Sprintf("Lines(%q)", text), printable.Lines(text), want[1])
	}
}

func FuzzLine(f *testing.F) {
	f.Add("eve\r\nX-Injected: yes\u2028\xff\u200d")
	f.Fuzz(func(t *testing.T, text string) {
		line, lines := printable.Line(text), printable.Lines(text)
		if strings.ContainsAny(line, "\r\n\t\x00\x1b\u202e\u200b") || strings.ContainsAny(lines, "\r\x00\x1b\u202e\u200b") {
			t.Errorf("%q becomes %q, %q", text, line, lines)
		}
		if !utf8.ValidString(line) || printable.Line(line) != line || printable.Lines(lines) != lines {
			t.Errorf("%q becomes %q, %q, which is not the end of it", text, line, lines)
		}
	})
}
