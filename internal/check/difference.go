package check

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const (
	maxLines = 20  // differences that are shown
	maxDepth = 10  // how deep a value is searched for differences
	maxText  = 500 // bytes of a value that are shown
)

// equal reports whether two values are equal, by a method Equal if they have one.
func equal[T any](got, want T) bool {
	if e, ok := any(got).(interface{ Equal(want T) bool }); ok && !isNil(reflect.ValueOf(got)) {
		return e.Equal(want)
	}
	return reflect.DeepEqual(got, want)
}

// difference describes how two values differ that are not equal.
func difference(got, want any) string {
	g, w := parts{}, parts{}
	g.add("", reflect.ValueOf(got), 0)
	w.add("", reflect.ValueOf(want), 0)
	all := maps.Clone(g)
	maps.Copy(all, w)
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if g[path] != w[path] {
			lines = append(lines, fmt.Sprintf("%s\n     got %s\n    want %s", path, cmp.Or(g[path], "nothing"), cmp.Or(w[path], "nothing")))
		}
	}
	if lines == nil { // such as two functions
		return fmt.Sprintf("\n     got %s\n    want %s", show(reflect.ValueOf(got)), show(reflect.ValueOf(want)))
	}
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n  ")
}

// parts are the parts of a value as text, by their paths in it. What consists of
// parts itself has its type as the text.
type parts map[string]string

func (p parts) add(path string, v reflect.Value, depth int) {
	if !v.IsValid() || isNil(v) || depth > maxDepth || v.Type().Implements(reflect.TypeFor[fmt.Stringer]()) {
		p[path] = show(v)
		return
	}
	p[path] = v.Type().String()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		p.add(path, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			p.add(path+"."+v.Type().Field(i).Name, v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			p.add(fmt.Sprintf("%s[%d]", path, i), v.Index(i), depth+1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			p.add(fmt.Sprintf("%s[%#v]", path, key), v.MapIndex(key), depth+1)
		}
	default:
		p[path] = show(v)
	}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		return v.IsNil()
	default:
		return false
	}
}

// show returns a value as text: strings quoted, all else by its own methods.
func show(v reflect.Value) string {
	text := fmt.Sprintf("%+v", v)
	if v.Kind() == reflect.String {
		text = fmt.Sprintf("%q", v)
	}
	return text[:min(len(text), maxText)]
}
