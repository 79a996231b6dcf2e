package notify

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/internal/printable"
)

// Line returns the text as a single line that is safe in a header. It replaces
// every control character, line separator, character that changes the writing
// direction and invisible character with a space, and invalid UTF-8 with U+FFFD.
// Joiners stay where emoji and scripts need them.
func Line(s string) string { return printable.Line(s) }

// EncodeHeader returns a text as the value of a header. A reader that decodes
// encoded words (RFC 2047) gets back the [Line] of the text, also if that looks like
// an encoded word itself.
func EncodeHeader(s string) string {
	const longest = 45 // bytes of text in a word, which has up to 75 bytes
	s = Line(s)
	if !strings.Contains(s, "=?") && !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
		return s
	}
	var words []string
	for s != "" {
		end := min(longest, len(s))
		for end < len(s) && !utf8.RuneStart(s[end]) {
			end--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:end]))+"?=")
		s = s[end:]
	}
	return strings.Join(words, " ")
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
