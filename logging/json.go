package logging

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/auditwarden/auditwarden/internal/jsonquote"
)

// NewJSONHandler returns a handler that writes each record as a line of JSON, with
// these fields in this order:
//
//	type, "log"
//	environment, application, module, version
//	requestId, if there is one
//	time, in milliseconds since 1970, a number
//	level: debug, info, warn, error or fatal
//	message
//	trace_id, span_id, if there are any
//	context, an object with the attributes
//
// All attributes are inside context, so that none can replace another field. If
// several attributes have the same key, the last one is written. Groups with the
// same name are merged. If options is nil, the defaults apply.
func NewJSONHandler(w io.Writer, options *Options) *Handler {
	return newHandler(w, options, appendRecord)
}

func appendRecord(buf []byte, o *Options, l *line) []byte {
	text := func(name, value string) {
		buf = append(buf, `,"`...)
		buf = append(buf, name...)
		buf = append(buf, `":`...)
		buf = jsonquote.AppendPrintable(buf, value)
	}
	optional := func(name, value string) {
		if value != "" {
			text(name, value)
		}
	}
	buf = append(buf, `{"type":"log"`...)
	text("environment", o.Environment)
	text("application", o.Application)
	text("module", o.Module)
	text("version", o.Version)
	optional("requestId", l.requestID)
	if !l.time.IsZero() {
		buf = append(buf, `,"time":`...)
		buf = strconv.AppendInt(buf, l.time.UnixMilli(), 10)
	}
	text("level", named(l.level).name)
	text("message", l.message)
	optional("trace_id", l.traceID)
	optional("span_id", l.spanID)
	buf = append(buf, `,"context":`...)
	buf = appendGroup(buf, l.attrs)
	return append(buf, '}')
}

func appendGroup(buf []byte, attrs []slog.Attr) []byte {
	buf = append(buf, '{')
	for i, a := range attrs {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = jsonquote.AppendPrintable(buf, a.Key)
		buf = append(buf, ':')
		buf = appendValue(buf, a.Value)
	}
	return append(buf, '}')
}

// appendValue appends the value of an attribute that a redactor has seen.
func appendValue(buf []byte, v slog.Value) []byte {
	if text, ok := textOf(v); ok {
		return jsonquote.AppendPrintable(buf, text)
	}
	if v.Kind() == slog.KindGroup {
		return appendGroup(buf, v.Group())
	}
	return appendPlain(buf, v.Any())
}

// appendPlain appends what [walker.plain] returns, and any float64.
func appendPlain(buf []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return jsonquote.AppendPrintable(buf, v)
	case bool:
		return strconv.AppendBool(buf, v)
	case int64:
		return strconv.AppendInt(buf, v, 10)
	case uint64:
		return strconv.AppendUint(buf, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) { // for which JSON has no number
			return jsonquote.AppendPrintable(buf, strconv.FormatFloat(v, 'g', -1, 64))
		}
		return strconv.AppendFloat(buf, v, 'g', -1, 64)
	case json.Number:
		return append(buf, v...)
	case []any:
		buf = append(buf, '[')
		for i, x := range v {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = appendPlain(buf, x)
		}
		return append(buf, ']')
	case map[string]any:
		buf = append(buf, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = jsonquote.AppendPrintable(buf, key)
			buf = append(buf, ':')
			buf = appendPlain(buf, v[key])
		}
		return append(buf, '}')
	default:
		return append(buf, "null"...)
	}
}
