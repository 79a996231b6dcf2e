// Package jsonquote writes strings as JSON.
package jsonquote

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Append appends s as JSON.stringify of ECMAScript writes it: only the quote,
// the backslash and what is below U+0020 are escaped. What is not UTF-8 stays
// as it is.
func Append(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	if !plain(s) {
		for i := range len(s) {
			if c := s[i]; special(c) {
				dst = append(dst, s[start:i]...)
				dst = appendEscape(dst, rune(c))
				start = i + 1
			}
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// AppendValid is [Append] for text that may not be UTF-8. If it is not, it
// returns dst as it was, and false.
func AppendValid(dst []byte, s string) (_ []byte, valid bool) {
	if plain(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"'), true
	}
	if !utf8.ValidString(s) {
		return dst, false
	}
	return Append(dst, s), true
}

// AppendPrintable appends s as a JSON string in which all that does not print is
// escaped too. What is not UTF-8 becomes U+FFFD.
func AppendPrintable(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		if r < utf8.RuneSelf && special(byte(r)) {
			dst = appendEscape(dst, r)
		} else {
			dst = AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// AppendRune appends a character, or its escape \uXXXX if it does not print. It
// does not escape the quote and the backslash.
func AppendRune(dst []byte, r rune) []byte {
	if strconv.IsPrint(r) && r != utf8.RuneError {
		return utf8.AppendRune(dst, r)
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError { // a surrogate pair
		return appendUnicode(appendUnicode(dst, high), low)
	}
	return appendUnicode(dst, r)
}

// plain reports whether s is printable ASCII that needs no escape, as most text
// is, looking at eight bytes at a time.
func plain(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// A subtraction reaches the high bit of a byte that is too small, and
		// of those above it.
		if (w|(w-each*' ')|(w^each*'"'-each)|(w^each*'\\'-each))&high != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; special(c) || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// special reports whether JSON demands that the character be escaped.
func special(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

// appendEscape appends the escape of a special character.
func appendEscape(dst []byte, r rune) []byte {
	const characters, letters = "\"\\\b\t\n\f\r", `"\btnfr`
	if i := strings.IndexRune(characters, r); i >= 0 {
		return append(dst, '\\', letters[i])
	}
	return appendUnicode(dst, r)
}

func appendUnicode(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
