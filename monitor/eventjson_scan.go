package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep objects and arrays are nested, the event included.
const maxDepth = 64

var (
	errTooDeep       = fmt.Errorf("objects and arrays are nested deeper than %d", maxDepth)
	errLoneSurrogate = errors.New(`a \u escape is half of a surrogate pair`)
)

// jsonScanner reads a JSON text (RFC 8259) from front to back. Strings without
// escapes are parts of the text. It is stricter than encoding/json: invalid
// UTF-8 and lone surrogates are errors and never replaced by U+FFFD.
type jsonScanner struct {
	text string
	pos  int
}

// peek skips white space and returns the byte that comes next, 0 at the end.
func (s *jsonScanner) peek() byte {
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

// unexpected is the error for text that should be something else.
func (s *jsonScanner) unexpected(want string) error {
	if s.pos >= len(s.text) {
		return fmt.Errorf("the text ends where %s is expected", want)
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	return fmt.Errorf("%q at offset %d where %s is expected", r, s.pos, want)
}

// object reads an object, which comes next, and calls member for each of its
// fields to read the value.
func (s *jsonScanner) object(depth int, member func(name string) error) error {
	if depth > maxDepth {
		return errTooDeep
	}
	s.pos++
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.unexpected("a field name")
		}
		name, err := s.string()
		if err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.pos++
		if err := member(name); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.unexpected("a comma or the end of the object")
		}
	}
}

// value reads any value; depth is how many objects and arrays it is in.
func (s *jsonScanner) value(depth int) (any, error) {
	switch s.peek() {
	case '"':
		return s.string()
	case '{':
		m := make(map[string]any)
		err := s.object(depth+1, func(name string) (err error) {
			m[name], err = s.value(depth + 1)
			return err
		})
		return m, err
	case '[':
		return s.array(depth + 1)
	case 't':
		return true, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return nil, s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n, err := s.number()
		return json.Number(n), err
	default:
		return nil, s.unexpected("a value")
	}
}

func (s *jsonScanner) array(depth int) ([]any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	s.pos++
	a := []any{}
	if s.peek() == ']' {
		s.pos++
		return a, nil
	}
	for {
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return a, nil
		default:
			return nil, s.unexpected("a comma or the end of the array")
		}
	}
}

func (s *jsonScanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return s.unexpected(word)
	}
	s.pos += len(word)
	return nil
}

// number reads a number and returns its text.
func (s *jsonScanner) number() (string, error) {
	start := s.pos
	if s.next() == '-' {
		s.pos++
	}
	if s.next() == '0' {
		s.pos++
	} else if !s.digits() {
		return "", s.unexpected("a digit")
	}
	if s.next() == '.' {
		s.pos++
		if !s.digits() {
			return "", s.unexpected("a digit")
		}
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.next(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return "", s.unexpected("a digit")
		}
	}
	return s.text[start:s.pos], nil
}

// next returns the byte that comes next, 0 at the end.
func (s *jsonScanner) next() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// digits skips digits and reports whether there were any.
func (s *jsonScanner) digits() bool {
	start := s.pos
	for isDigit(s.next()) {
		s.pos++
	}
	return s.pos > start
}

// string reads a string, which comes next.
func (s *jsonScanner) string() (string, error) {
	start := s.pos + 1
	var bits byte
	for i := start; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case c == '"':
			s.pos = i + 1
			if bits >= utf8.RuneSelf && !utf8.ValidString(s.text[start:i]) {
				return "", errNotUTF8
			}
			return s.text[start:i], nil
		case c == '\\':
			s.pos = i
			return s.escaped(start)
		case c < ' ':
			s.pos = i
			return "", s.unexpected("text or an escape")
		}
		bits |= c
	}
	s.pos = len(s.text)
	return "", s.unexpected("the end of a string")
}

// escaped reads the rest of a string that starts at start and whose first
// escape comes next.
func (s *jsonScanner) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, s.pos-start+32), s.text[start:s.pos]...)
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			if !utf8.Valid(buf) {
				return "", errNotUTF8
			}
			return string(buf), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		case c < ' ':
			return "", s.unexpected("text or an escape")
		default:
			buf = append(buf, c)
			s.pos++
		}
	}
	return "", s.unexpected("the end of a string")
}

// escape reads an escape, or the two that are one character.
func (s *jsonScanner) escape() (rune, error) {
	s.pos++
	switch c := s.next(); c {
	case '"', '\\', '/':
		s.pos++
		return rune(c), nil
	case 'b':
		s.pos++
		return '\b', nil
	case 'f':
		s.pos++
		return '\f', nil
	case 'n':
		s.pos++
		return '\n', nil
	case 'r':
		s.pos++
		return '\r', nil
	case 't':
		s.pos++
		return '\t', nil
	case 'u':
		r, err := s.hex()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if !strings.HasPrefix(s.text[s.pos:], `\u`) {
			return 0, errLoneSurrogate
		}
		s.pos++
		low, err := s.hex()
		if err != nil {
			return 0, err
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return 0, errLoneSurrogate
		}
		return r, nil
	default:
		return 0, s.unexpected("an escape")
	}
}

// hex reads u and four hex digits.
func (s *jsonScanner) hex() (r rune, err error) {
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
			return 0, s.unexpected("a hex digit")
		}
		r = r<<4 | rune(c)
		s.pos++
	}
	return r, nil
}
