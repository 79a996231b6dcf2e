package jsonquote_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/jsonquote"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                               `""`,
		"plain text of some length":      `"plain text of some length"`,
		"a\"b\\c":                        `"a\"b\\c"`,
		"\b\t\n\f\r":                     `"\b\t\n\f\r"`,
		"\x00\x0b\x1f":                   `"\u0000\u000b\u001f"`,
		"\x7f\u009b\u2028\u202e</é😀\xff": "\"\x7f\u009b\u2028\u202e</é😀\xff\"",
	} {
		check.Equal(t, "quoted", string(jsonquote.Append([]byte("x:"), s)), "x:"+want)
	}
}

func TestAppendValid(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"": true, "plain": true, "é\n": true, "\xff": false, "plain \xe9": false, "\xed\xa0\x80": false} {
		got, valid := jsonquote.AppendValid([]byte("x:"), s)
		check.Equal(t, "valid", valid, want)
		if valid {
			check.Equal(t, "quoted", string(got), string(jsonquote.Append([]byte("x:"), s)))
		} else {
			check.Equal(t, "quoted", string(got), "x:")
		}
	}
}

// TestAppendEveryByte puts each byte at each place of the eight that are looked
// at together, and behind them.
func TestAppendEveryByte(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for i := range 17 {
			s := strings.Repeat("~", i) + string([]byte{byte(c)}) + strings.Repeat(" ", 16-i)
			want := strings.Replace(s, string([]byte{byte(c)}), escapes[byte(c)], 1)
			if escapes[byte(c)] == "" {
				want = s
			}
			check.Equal(t, fmt.Sprintf("byte %d at %d", c, i), string(jsonquote.Append(nil, s)), `"`+want+`"`)
		}
	}
}

// escapes are those that ECMAScript's QuoteJSONString writes.
var escapes = func() map[byte]string {
	m := map[byte]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}
	for c := range byte(' ') {
		if m[c] == "" {
			m[c] = fmt.Sprintf(`\u%04x`, c)
		}
	}
	return m
}()

func TestAppendPrintable(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                   `""`,
		"plain <é😀>":         `"plain <é😀>"`,
		"a\"b\\c\b\t\n\f\r":  `"a\"b\\c\b\t\n\f\r"`,
		"\x00\x1b\x7f\u009b": `"\u0000\u001b\u007f\u009b"`,
		"\u2028\u202e\ufeff": `"\u2028\u202e\ufeff"`,
		"\xff\ufffd":         `"\ufffd\ufffd"`,
		"\U000e0001":         `"\udb40\udc01"`,
		"\U0010ffff":         `"\udbff\udfff"`,
	} {
		check.Equal(t, "quoted", string(jsonquote.AppendPrintable([]byte("x:"), s)), "x:"+want)
	}
}

func TestAppendRune(t *testing.T) {
	t.Parallel()
	var got []byte
	for _, r := range "a\"\\\n\u202eé" {
		got = jsonquote.AppendRune(got, r)
	}
	check.Equal(t, "characters", string(got), `a"\\u000a\u202eé`)
}

// FuzzAppend checks that what is written is the JSON of what was given.
func FuzzAppend(f *testing.F) {
	f.Add("a\"b\\c\b\t\n\f\r\x00\x7f\u2028\U000e0001\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		check.NoError(t, "decode", json.Unmarshal(jsonquote.AppendPrintable(nil, s), &got))
		check.Equal(t, "printable", got, string([]rune(s))) // U+FFFD for each byte that is not UTF-8
		if utf8.ValidString(s) {
			check.NoError(t, "decode", json.Unmarshal(jsonquote.Append(nil, s), &got))
			check.Equal(t, "plain", got, s)
		}
	})
}
