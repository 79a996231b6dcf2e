package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns the text as a single line that is safe in a header. It replaces
// every control character, line separator and character that changes the writing
// direction with a space, and invalid UTF-8 with U+FFFD.
func Line(s string) string { return printable(s, "") }

// lines does the same as [Line] but keeps line feeds and tabs.
func lines(s string) string { return printable(s, "\n\t") }

func printable(s, keep string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unsafeRune(r) && !strings.ContainsRune(keep, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

func unsafeRune(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

// Clip truncates a UTF-8 text to at most limit bytes. A truncated text ends with
// an ellipsis. The limit must be at least 3.
func Clip(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
