package logging

import (
	"slices"
	"strings"
)

// A span is a part of a text.
type span struct{ start, end int }

// A text is a text while it is searched for secrets, from its start to its end.
type text struct {
	s     string
	names names
	spans []span // of the secrets so far, in order
	// members has what is known of each object that the search is inside of, by
	// depth. Objects that are nested more deeply share the places.
	members [8]members
	depth   uint
	word    span // the last value without quotes that was read
}

// valueAt returns the value that starts at i. What it reads without quotes it reads
// once: a value inside of another ends where that does.
func (t *text) valueAt(i int) extent {
	if t.word.start < i && i < t.word.end && partOfName(t.s[i]) {
		return extent{i, t.word.end, bare}
	}
	v := valueAt(t.s, i)
	if v.form == bare {
		t.word = span{v.start, v.end}
	}
	return v
}

// hide makes a part of the text a secret. Secrets that it covers become part of it.
func (t *text) hide(start, end int) {
	if start >= end || t.s[start:end] == redacted {
		return
	}
	from, to := len(t.spans), len(t.spans)
	for from > 0 && t.spans[from-1].end > start {
		from--
		start = min(start, t.spans[from].start)
	}
	for to > from && t.spans[to-1].start >= end {
		to--
	}
	if to > from {
		end = max(end, t.spans[to-1].end)
	}
	t.spans = slices.Replace(t.spans, from, to, span{start, end})
}

// skip returns the end of the secret that the offset i is inside of, or i.
func (t *text) skip(i int) int {
	for n := len(t.spans) - 1; n >= 0 && t.spans[n].end > i; n-- {
		if t.spans[n].start <= i {
			return t.spans[n].end
		}
	}
	return i
}

// done returns where the last secret ends that is before the offset i.
func (t *text) done(i int) int {
	for _, secret := range slices.Backward(t.spans) {
		if secret.end <= i {
			return secret.end
		}
	}
	return 0
}

// redact returns the text with "[REDACTED]" in place of each secret.
func (t *text) redact() string {
	if len(t.spans) == 0 {
		return t.s
	}
	var b strings.Builder
	done := 0
	for _, secret := range t.spans {
		b.WriteString(t.s[done:secret.start])
		b.WriteString(redacted)
		done = secret.end
	}
	b.WriteString(t.s[done:])
	return b.String()
}

// members is what is known of the members of an object: which name it has, and
// which value.
type members struct {
	named  bool      // there was a name without a value
	name   nameClass // what it says
	value  span      // the last value
	loose  bool      // it has no name yet
	cookie bool      // the object is a cookie
}

func (t *text) object() *members { return &t.members[t.depth%uint(len(t.members))] }

// open and close begin and end an object.
func (t *text) open() {
	t.depth++
	*t.object() = members{}
}

func (t *text) close() {
	*t.object() = members{}
	t.depth--
}
