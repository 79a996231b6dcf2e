package monitor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/auditwarden/auditwarden/internal/jsonquote"
	"github.com/auditwarden/auditwarden/internal/jsonscan"
)

// A fitting copies values such that JSON can express them in so many bytes. What has no
// room is left out, or replaced by an ellipsis.
type fitting struct {
	room int
	buf  []byte
}

// object copies the members of an object. Names that are taken get an underscore.
func (f *fitting) object(depth int, members map[string]any, taken func(name string) bool) map[string]any {
	if members == nil {
		return nil
	}
	fit := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		const punctuation = 4
		clean := strings.ToValidUTF8(name, replacement)
		for taken(clean) || clean != name && has(members, clean) || has(fit, clean) {
			clean += "_"
		}
		if f.room < f.size(clean)+punctuation+len(ellipsis) {
			continue
		}
		f.room -= f.size(clean) + punctuation
		fit[clean] = f.value(depth, members[name])
	}
	return fit
}

func has(m map[string]any, name string) bool {
	_, ok := m[name]
	return ok
}

// value copies a value that is in so many objects and arrays.
func (f *fitting) value(depth int, v any) any {
	switch v := v.(type) {
	case string:
		return f.text(v)
	case map[string]any:
		if depth+1 > jsonscan.MaxDepth {
			return f.text(ellipsis)
		}
		f.room -= len("{}")
		return f.object(depth+1, v, func(string) bool { return false })
	case []any:
		if depth+1 > jsonscan.MaxDepth {
			return f.text(ellipsis)
		}
		f.room -= len("[]")
		fit := []any{}
		for _, x := range v {
			if f.room <= len(`"…",`) {
				break
			}
			f.room--
			fit = append(fit, f.value(depth+1, x))
		}
		return fit
	}
	if text, err := appendValue(f.buf[:0], depth, v); err == nil && len(text) <= f.room {
		f.buf = text
		f.room -= len(text)
		return v
	}
	return f.text(described(v))
}

// described returns text for a value that JSON cannot express.
func described(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case json.Number:
		return string(v)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprintf("%T", v)
}

// text copies a string.
func (f *fitting) text(s string) string {
	const escape = len(`\u0000`)
	s = strings.ToValidUTF8(s, replacement)
	if f.size(s) > f.room {
		s = clip(s, max(len(ellipsis), f.room/escape))
	}
	f.room -= f.size(s)
	return s
}

// size is the length of a string in JSON.
func (f *fitting) size(s string) int {
	f.buf = jsonquote.Append(f.buf[:0], s)
	return len(f.buf)
}
