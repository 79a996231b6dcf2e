// Package jsonscan reads JSON texts (RFC 8259) piece by piece, without the
// leniency of encoding/json: names keep their case, numbers their text, and
// invalid UTF-8 and lone surrogates are errors unless they are to be mended.
package jsonscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may be nested.
const MaxDepth = 64

// ErrTooDeep is the error for a text that is nested deeper than [MaxDepth].
var ErrTooDeep = fmt.Errorf("objects and arrays are nested deeper than %d", MaxDepth)

var (
	errNotUTF8       = errors.New("not valid UTF-8")
	errLoneSurrogate = errors.New(`a \u escape is half of a surrogate pair`)
)

// A Scanner reads a text from front to back. Strings without escapes are parts
// of the text. After an error it is of no more use.
type Scanner struct {
	// Mend makes the scanner replace invalid UTF-8 and lone surrogates in strings with
	// U+FFFD.
	Mend bool

	text string
	pos  int
}

// New returns a scanner at the start of a text.
func New(text string) Scanner { return Scanner{text: text} }

// replacement stands for what is no text.
const replacement = string(utf8.RuneError)

// Rest returns what was not read yet.
func (s *Scanner) Rest() string { return s.text[s.pos:] }

// Peek skips white space and returns the byte that comes next, 0 at the end.
func (s *Scanner) Peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// Unexpected is the error for text that should be something else.
func (s *Scanner) Unexpected(want string) error {
	if s.pos >= len(s.text) {
		return fmt.Errorf("the text ends where %s is expected", want)
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	return fmt.Errorf("%q at offset %d where %s is expected", r, s.pos, want)
}

// Object reads an object, which comes next, and calls member for each of its
// fields to read the value.
func (s *Scanner) Object(depth int, member func(name string) error) error {
	return s.list(depth, '}', "a comma or the end of the object", func() error {
		if s.Peek() != '"' {
			return s.Unexpected("a field name")
		}
		name, err := s.String()
		if err != nil {
			return err
		}
		if s.Peek() != ':' {
			return s.Unexpected("a colon")
		}
		s.pos++
		return member(name)
	})
}

// list reads an object or an array, which comes next, and calls element to read
// each of its elements.
func (s *Scanner) list(depth int, end byte, want string, element func() error) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	s.pos++
	if s.Peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch s.Peek() {
		case ',':
			s.pos++
		case end:
			s.pos++
			return nil
		default:
			return s.Unexpected(want)
		}
	}
}

// Value reads any value: a string, a [json.Number], a bool, nil, an []any or a
// map[string]any; depth is how many objects and arrays it is in.
func (s *Scanner) Value(depth int) (any, error) {
	switch s.Peek() {
	case '"':
		return s.String()
	case '{':
		m := make(map[string]any)
		err := s.Object(depth+1, func(name string) (err error) {
			m[name], err = s.Value(depth + 1)
			return err
		})
		return m, err
	case '[':
		a := []any{}
		err := s.list(depth+1, ']', "a comma or the end of the array", func() error {
			v, err := s.Value(depth + 1)
			a = append(a, v)
			return err
		})
		return a, err
	case 't':
		return true, s.Literal("true")
	case 'f':
		return false, s.Literal("false")
	case 'n':
		return nil, s.Literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n, err := s.Number()
		return json.Number(n), err
	default:
		return nil, s.Unexpected("a value")
	}
}

// Literal reads a word, which is true, false or null.
func (s *Scanner) Literal(word string) error {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return s.Unexpected(word)
	}
	s.pos += len(word)
	return nil
}

// Number reads a number and returns its text.
func (s *Scanner) Number() (string, error) {
	start := s.pos
	if s.next() == '-' {
		s.pos++
	}
	if s.next() == '0' {
		s.pos++
	} else if !s.digits() {
		return "", s.Unexpected("a digit")
	}
	if s.next() == '.' {
		s.pos++
		if !s.digits() {
			return "", s.Unexpected("a digit")
		}
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.next(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return "", s.Unexpected("a digit")
		}
	}
	return s.text[start:s.pos], nil
}

// next returns the byte that comes next, 0 at the end.
func (s *Scanner) next() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// digits skips digits and reports whether there were any.
func (s *Scanner) digits() bool {
	start := s.pos
	for isDigit(s.next()) {
		s.pos++
	}
	return s.pos > start
}

// String reads a string, which comes next.
func (s *Scanner) String() (string, error) {
	start := s.pos + 1
	var bits byte
	for i := start; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case c == '"':
			s.pos = i + 1
			if bits >= utf8.RuneSelf {
				return s.valid(s.text[start:i])
			}
			return s.text[start:i], nil
		case c == '\\':
			s.pos = i
			return s.escaped(start)
		case c < ' ':
			s.pos = i
			return "", s.Unexpected("text or an escape")
		}
		bits |= c
	}
	s.pos = len(s.text)
	return "", s.Unexpected("the end of a string")
}

// valid returns a string that is valid UTF-8.
func (s *Scanner) valid(text string) (string, error) {
	switch {
	case utf8.ValidString(text):
		return text, nil
	case s.Mend:
		return strings.ToValidUTF8(text, replacement), nil
	}
	return "", errNotUTF8
}

// escaped reads the rest of a string that starts at start and whose first
// escape comes next.
func (s *Scanner) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, s.pos-start+32), s.text[start:s.pos]...)
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.valid(string(buf))
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		case c < ' ':
			return "", s.Unexpected("text or an escape")
		default:
			buf = append(buf, c)
			s.pos++
		}
	}
	return "", s.Unexpected("the end of a string")
}

// escape reads an escape, or the two that are one character.
func (s *Scanner) escape() (rune, error) {
	const letters, characters = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	s.pos++
	if i := strings.IndexByte(letters, s.next()); i >= 0 {
		s.pos++
		return rune(characters[i]), nil
	}
	if s.next() != 'u' {
		return 0, s.Unexpected("an escape")
	}
	r, err := s.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	first := s.pos
	if strings.HasPrefix(s.text[first:], `\u`) {
		s.pos++
		low, err := s.hex()
		if err != nil {
			return 0, err
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			return r, nil
		}
	}
	if !s.Mend {
		return 0, errLoneSurrogate
	}
	s.pos = first
	return utf8.RuneError, nil
}

// hex reads u and four hex digits.
func (s *Scanner) hex() (r rune, err error) {
	s.pos++
	for range 4 {
		c := s.next()
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.Unexpected("a hex digit")
		}
		r = r<<4 | rune(c)
		s.pos++
	}
	return r, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
