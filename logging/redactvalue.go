package logging

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxValues is how many values of a record are read.
const maxValues = 10_000

// cut stands in the place of what is beyond the limits.
const cut = "..."

// Value returns the value of a key without its secrets. The result has plain types
// only: nil, bool, string, int64, uint64, float64, [encoding/json.Number], []any
// and map[string]any. A struct becomes a map of its exported fields with their
// JSON names. A value that is a json.Marshaler or encoding.TextMarshaler is
// encoded that way. An error becomes its text. A byte slice becomes a string if it
// is UTF-8, and a note of its length otherwise. Values that are nested more than
// 32 levels deep (pointers and interfaces count), and all after the first 10,000,
// are replaced with "...". If a value panics, the result is the text of the panic.
func (r *Redactor) Value(key string, v any) any {
	w := walker{redactor: r, left: maxValues}
	return w.member(r.names.classify(key), v)
}

// Attr returns the attribute without its secrets. It resolves the value and
// converts it to the plain types of [Redactor.Value].
func (r *Redactor) Attr(a slog.Attr) slog.Attr {
	w := walker{redactor: r, left: maxValues}
	a, _ = w.attr(a, 0)
	return a
}

// attrs returns the attributes as a handler writes them, each as Attr returns
// it. The members of a group without a name take its place. Empty groups and
// attributes are left out. Of several attributes with one key the last is kept,
// but groups with one key are joined.
func (r *Redactor) attrs(attrs []slog.Attr) []slog.Attr {
	w := walker{redactor: r, left: maxValues}
	return w.group(nil, attrs, 0)
}

// A walker turns the values of one record into plain ones without secrets.
type walker struct {
	redactor *Redactor
	left     int // values that may still be read
}

// enough counts a value and reports whether it is beyond the limits.
func (w *walker) enough(depth int) bool {
	w.left--
	return depth > maxDepth || w.left < 0
}

// group appends the attributes of a group to dst.
func (w *walker) group(dst, attrs []slog.Attr, depth int) []slog.Attr {
	var classes nameClass // of all keys
	for _, a := range attrs {
		if a.Equal(slog.Attr{}) {
			continue
		}
		a.Value = a.Value.Resolve()
		if a.Key == "" && a.Value.Kind() == slog.KindGroup && !w.enough(depth) {
			dst = w.group(dst, a.Value.Group(), depth+1)
			continue
		}
		a, class := w.attr(a, depth)
		classes |= class
		if a.Value.Kind() == slog.KindGroup && len(a.Value.Group()) == 0 {
			continue
		}
		dst = setAttr(dst, a)
	}
	if classes&valueOf != 0 && classes&(namesAnother|cookieOnly) != 0 {
		w.redactPairs(dst)
	}
	return dst
}

// redactPairs redacts the values of attributes that are pairs.
func (w *walker) redactPairs(attrs []slog.Attr) {
	o := newObject()
	for _, a := range attrs {
		o.add(a.Key, w.redactor.names.classify(a.Key), a.Value.Any())
	}
	plain := o.redact(w.redactor.names)
	for i, a := range attrs {
		if plain[a.Key] == redacted {
			attrs[i].Value = slog.StringValue(redacted)
		}
	}
}

// setAttr puts an attribute in the place of the one with its key, or appends it.
// A group is put into the one with its key.
func setAttr(dst []slog.Attr, a slog.Attr) []slog.Attr {
	i := slices.IndexFunc(dst, func(d slog.Attr) bool { return d.Key == a.Key })
	if i < 0 {
		return append(dst, a)
	}
	if a.Value.Kind() == slog.KindGroup && dst[i].Value.Kind() == slog.KindGroup {
		merged := slices.Clone(dst[i].Value.Group())
		for _, member := range a.Value.Group() {
			merged = setAttr(merged, member)
		}
		a.Value = slog.GroupValue(merged...)
	}
	dst[i] = a
	return dst
}

// attr returns the attribute without its secrets, and the class of its key.
func (w *walker) attr(a slog.Attr, depth int) (slog.Attr, nameClass) {
	a.Value = a.Value.Resolve()
	class := w.redactor.names.classify(a.Key)
	switch kind := a.Value.Kind(); {
	case w.enough(depth):
		a.Value = slog.StringValue(cut)
	case kind == slog.KindBool || kind == slog.KindTime || kind == slog.KindDuration:
	case kind == slog.KindAny:
		a.Value = slog.AnyValue(w.member(class, a.Value.Any()))
	case kind == slog.KindString:
		a.Value = slog.StringValue(w.text(class, a.Value.String()))
	case class&(secretName|ownName) != 0 && (kind == slog.KindGroup || class&plural == 0):
		a.Value = slog.StringValue(redacted)
	case kind == slog.KindGroup:
		a.Value = slog.GroupValue(w.group(nil, a.Value.Group(), depth+1)...)
	}
	a.Key = w.redactor.String(a.Key)
	return a, class
}

// text returns the text under a name of the class.
func (w *walker) text(class nameClass, s string) string {
	switch {
	case class&ownName != 0, class&secretName != 0 && (class&plural == 0 || !isNumber(s)):
		return redacted
	case class&shortName != 0 && !isInert(s) && !isNumber(s) && !isScheme(s) && classifyReason(s) == 0:
		return redacted
	default:
		return w.redactor.String(s)
	}
}

// member returns the plain form of the value under a name of the class.
func (w *walker) member(class nameClass, v any) (plain any) {
	defer func() {
		if p := recover(); p != nil {
			plain = w.redactor.String(fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	return w.named(reflect.ValueOf(v), 0, class)
}

// named returns the plain form of the value under a name of the class.
func (w *walker) named(v reflect.Value, depth int, class nameClass) any {
	if class&(secretName|ownName|shortName) == 0 || !mayBeSecret(v, class) {
		return w.plain(v, depth)
	}
	if class&(secretName|ownName) != 0 {
		return redacted
	}
	switch plain := w.plain(v, depth).(type) {
	case string:
		return w.text(class, plain)
	case []any:
		if slices.ContainsFunc(plain, func(x any) bool { _, ok := x.(string); return ok }) {
			return redacted
		}
		return plain
	default:
		return plain
	}
}

// plain returns the plain form of a value.
func (w *walker) plain(v reflect.Value, depth int) any {
	switch {
	case !v.IsValid():
		return nil
	case w.enough(depth):
		return cut
	}
	if v.CanInterface() {
		if plain, ok := w.special(v, depth); ok {
			return plain
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		return plainFloat(v.Float())
	case reflect.String:
		return w.redactor.String(v.String())
	case reflect.Pointer, reflect.Interface:
		return w.plain(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return w.bytes(v)
		}
		return w.list(v, depth)
	case reflect.Map:
		return w.pairs(v, depth)
	case reflect.Struct:
		return w.structure(v, depth)
	default: // a function, a channel, a complex number
		return v.Type().String()
	}
}

func plainFloat(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return f
}

// special returns the plain form of a value that has one of its own.
func (w *walker) special(v reflect.Value, depth int) (plain any, ok bool) {
	if k := v.Kind(); (k == reflect.Pointer || k == reflect.Interface) && v.IsNil() {
		return nil, true
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.Format(time.RFC3339Nano), true
	case time.Duration:
		return x.String(), true
	case json.Number:
		if _, err := json.Marshal(x); err != nil || x == "" { // not a number
			return w.redactor.String(string(x)), true
		}
		return x, true
	case slog.LogValuer:
		return w.logValue(slog.AnyValue(x).Resolve(), depth), true
	case slog.Value:
		return w.logValue(x.Resolve(), depth), true
	case error:
		return w.redactor.String(x.Error()), true
	case json.Marshaler:
		text, err := json.Marshal(x)
		if err != nil {
			return w.redactor.String(err.Error()), true
		}
		return w.decoded(text, depth), true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return w.redactor.String(err.Error()), true
		}
		return w.redactor.String(string(text)), true
	case fmt.Stringer:
		if isStruct(v.Type()) { // its fields tell more, and have names
			return nil, false
		}
		return w.redactor.String(x.String()), true
	}
	return nil, false
}

// textOf returns the text of a value that is written as text.
func textOf(v slog.Value) (string, bool) {
	switch v.Kind() {
	case slog.KindString:
		return v.String(), true
	case slog.KindDuration:
		return v.Duration().String(), true
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano), true
	default:
		return "", false
	}
}

// logValue returns the plain form of a value in a map, list or struct.
func (w *walker) logValue(v slog.Value, depth int) any {
	if v.Kind() == slog.KindGroup {
		return objectOf(w.group(nil, v.Group(), depth+1))
	}
	return w.plain(reflect.ValueOf(v.Any()), depth+1)
}

// objectOf returns plain attributes as a plain map.
func objectOf(attrs []slog.Attr) map[string]any {
	m := make(map[string]any, len(attrs))
	for _, a := range attrs {
		if text, ok := textOf(a.Value); ok {
			m[a.Key] = text
		} else if a.Value.Kind() == slog.KindGroup {
			m[a.Key] = objectOf(a.Value.Group())
		} else {
			m[a.Key] = a.Value.Any()
		}
	}
	return m
}

// decoded returns the plain form of JSON.
func (w *walker) decoded(text []byte, depth int) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return w.redactor.String(err.Error())
	}
	return w.plain(reflect.ValueOf(v), depth+1)
}

// bytes returns the plain form of a slice or an array of bytes.
func (w *walker) bytes(v reflect.Value) any {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil
	}
	text := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(text), v)
	if !utf8.Valid(text) {
		return fmt.Sprintf("[%d bytes]", len(text))
	}
	return w.redactor.String(string(text))
}

func (w *walker) list(v reflect.Value, depth int) any {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil
	}
	list := []any{}
	isOption := false // the last element was an option whose value is a secret
	for i := range v.Len() {
		if w.left <= 0 {
			return append(list, cut)
		}
		plain := w.plain(v.Index(i), depth+1)
		text, isText := plain.(string)
		if isText && isOption && !strings.HasPrefix(text, "-") {
			plain = redacted
		}
		isOption = isText && strings.HasPrefix(text, "-") && w.redactor.names.classify(text)&(secretName|ownName) != 0
		list = append(list, plain)
	}
	return list
}

func (w *walker) pairs(v reflect.Value, depth int) any {
	if v.IsNil() {
		return nil
	}
	o := newObject()
	for pairs := v.MapRange(); pairs.Next(); {
		if w.left <= 0 {
			o.members[cut] = cut
			break
		}
		key := keyText(pairs.Key())
		class := w.redactor.names.classify(key)
		o.add(w.redactor.String(key), class, w.named(pairs.Value(), depth+1, class))
	}
	return o.redact(w.redactor.names)
}

func keyText(v reflect.Value) string {
	if v.Kind() != reflect.String && v.CanInterface() {
		if m, ok := v.Interface().(encoding.TextMarshaler); ok {
			if text, err := m.MarshalText(); err == nil {
				return string(text)
			}
		}
	}
	return fmt.Sprint(v)
}

// structure returns the plain form of a struct: its exported fields under their
// JSON names, and those of embedded structs without a name.
func (w *walker) structure(v reflect.Value, depth int) any {
	o := newObject()
	w.fields(o, v, depth)
	return o.redact(w.redactor.names)
}

func (w *walker) fields(o *object, v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		value := v.Field(i)
		if field.Anonymous && name == "" {
			if value.Kind() == reflect.Pointer {
				value = value.Elem()
			}
			if value.Kind() == reflect.Struct && depth < maxDepth {
				w.fields(o, value, depth+1)
				continue
			}
		}
		if !field.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		class := w.redactor.names.classify(name) | w.redactor.names.classify(field.Name)
		o.add(name, class, w.named(value, depth+1, class))
	}
}
