package logging

import (
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/auditwarden/auditwarden/internal/jsonquote"
)

// NewConsoleHandler returns a handler that writes records as lines for people:
//
//	2023-10-26T10:30:00.123Z WARN  store [requestId=r-1] cannot reach redis attempt=3 error="dial tcp: timeout"
//
// A line has the time, the level, the module, the IDs of request, trace and span
// in brackets, the message and the attributes. The key of an attribute in a group
// has the name of the group and a dot as a prefix. A value that is not a single
// word is quoted as in JSON. If options is nil, the defaults apply.
func NewConsoleHandler(w io.Writer, options *Options) *Handler {
	return newHandler(w, options, appendConsoleLine)
}

func appendConsoleLine(buf []byte, o *Options, l *line) []byte {
	if !l.time.IsZero() {
		buf = l.time.AppendFormat(buf, "2006-01-02T15:04:05.000Z07:00")
		buf = append(buf, ' ')
	}
	buf = appendLevel(buf, l.level, o.Color)
	if o.Module != "" {
		buf = append(buf, ' ')
		buf = appendWord(buf, o.Module)
	}
	buf = appendIDs(buf, l)
	buf = append(buf, ' ')
	for _, r := range l.message {
		buf = jsonquote.AppendRune(buf, r)
	}
	return appendPairs(buf, "", l.attrs)
}

func appendLevel(buf []byte, level slog.Level, color bool) []byte {
	l := named(level)
	if color {
		buf = append(buf, l.color...)
	}
	buf = append(buf, strings.ToUpper(l.name)...)
	if color {
		buf = append(buf, "\x1b[0m"...)
	}
	return append(buf, "     "[:len("debug")-len(l.name)]...)
}

// appendIDs appends the IDs. They stand before the message, so that no attribute
// can be taken for one.
func appendIDs(buf []byte, l *line) []byte {
	opening := " ["
	for _, id := range [...]struct{ name, value string }{
		{"requestId", l.requestID}, {"trace_id", l.traceID}, {"span_id", l.spanID},
	} {
		if id.value == "" {
			continue
		}
		buf = append(buf, opening...)
		buf = append(buf, id.name...)
		buf = append(buf, '=')
		buf = appendWord(buf, id.value)
		opening = " "
	}
	if opening == " " {
		buf = append(buf, ']')
	}
	return buf
}

func appendPairs(buf []byte, prefix string, attrs []slog.Attr) []byte {
	for _, a := range attrs {
		if a.Value.Kind() == slog.KindGroup {
			buf = appendPairs(buf, prefix+a.Key+".", a.Value.Group())
			continue
		}
		buf = append(buf, ' ')
		buf = appendWord(buf, prefix+a.Key)
		buf = append(buf, '=')
		if text, ok := textOf(a.Value); ok {
			buf = appendWord(buf, text)
		} else {
			buf = appendValue(buf, a.Value)
		}
	}
	return buf
}

// appendWord appends text as it is if it is a single word, and quoted otherwise.
func appendWord(buf []byte, s string) []byte {
	special := func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == '\\' || r == '[' || r == ']' || !strconv.IsPrint(r)
	}
	if s == "" || strings.ContainsFunc(s, special) {
		return jsonquote.AppendPrintable(buf, s)
	}
	return append(buf, s...)
}
