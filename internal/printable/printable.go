// Package printable makes text from outside safe to show: in a header, a log or a
// terminal, it stays where it stands and looks like what it is.
package printable

import (
	"strings"
	"unicode"
)

// Line returns a text as one line. It replaces every control character, line
// separator, character that changes the writing direction and invisible character
// with a space, and invalid UTF-8 with U+FFFD. Joiners and variation selectors, of
// which emoji and some scripts are made, stay after a character that is not ASCII.
func Line(s string) string { return clean(s, "") }

// Lines does the same as [Line] but keeps line feeds and tabs.
func Lines(s string) string { return clean(s, "\n\t") }

func clean(s, keep string) string {
	var last rune
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		joins := joiner(r) && last > unicode.MaxASCII && last != r && !unicode.IsSpace(last)
		if hidden(r) && !joins && !strings.ContainsRune(keep, r) {
			r = ' '
		}
		last = r
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// hidden reports whether a character has an effect and no shape.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

func joiner(r rune) bool {
	return r == '\u200c' || r == '\u200d' || unicode.Is(unicode.Variation_Selector, r)
}
