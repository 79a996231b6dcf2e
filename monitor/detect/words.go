package detect

import "strings"

// hasSegments reports whether the action has the segments one behind the other, in
// letters of either case. A segment ends at every character but letters, digits,
// underscores and hyphens. An empty second segment stands for any.
func hasSegments(action, first, second string) bool {
	for found := false; action != ""; {
		end := 0
		for end < len(action) && (wordByte(action[end]) || action[end] == '_' || action[end] == '-') {
			end++
		}
		segment := action[:end]
		action = action[min(end+1, len(action)):]
		if segment == "" {
			continue
		}
		if found && (second == "" || strings.EqualFold(segment, second)) {
			return true
		}
		found = strings.EqualFold(segment, first)
	}
	return false
}

// A wordScanner reads a text word by word. A word ends at every character but
// letters and digits, and where a capital letter begins another, as in
// "ConsoleLogin" and "SSOLogin".
type wordScanner struct {
	rest         string
	word, before scannedWord
}

// A scannedWord is a word in lower case. It is empty for a word that is too long to
// be one that anybody looks for.
type scannedWord struct {
	text [16]byte
	n    int
}

func (w *scannedWord) set(word string) {
	w.n = 0
	if len(word) > len(w.text) {
		return
	}
	w.n = len(word)
	for i := range w.n {
		w.text[i] = toLower(word[i])
	}
}

func (w *scannedWord) is(word string) bool { return string(w.text[:w.n]) == word }

// next reads a word, and reports whether there was one.
func (s *wordScanner) next() bool {
	start := 0
	for start < len(s.rest) && !wordByte(s.rest[start]) {
		start++
	}
	end := start
	for end < len(s.rest) && wordByte(s.rest[end]) && (end == start || !capital(s.rest, end)) {
		end++
	}
	word := s.rest[start:end]
	s.rest = s.rest[end:]
	s.before = s.word
	s.word.set(word)
	return word != ""
}

// hasWord reports whether the action has the word, which is in lower case.
func hasWord(action, word string) bool {
	for s := (wordScanner{rest: action}); s.next(); {
		if s.word.is(word) {
			return true
		}
	}
	return false
}

// capital reports whether a word begins with the capital letter at i.
func capital(text string, i int) bool {
	if !upper(text[i]) {
		return false
	}
	return !upper(text[i-1]) || i+1 < len(text) && lower(text[i+1])
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }

// wordByte reports whether the byte is part of a word. Letters beyond ASCII are.
func wordByte(c byte) bool {
	return upper(c) || lower(c) || '0' <= c && c <= '9' || c >= 0x80
}
