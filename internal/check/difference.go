package check

import (
	"fmt"
	"reflect"
	"strings"
)

const (
	maxLines = 20  // lines of a difference that are shown
	maxDepth = 10  // how deep a value is searched for what differs
	maxText  = 500 // bytes of a value that are shown
)

func equal[T any](got, want T) bool {
	if e, ok := any(got).(interface{ Equal(want T) bool }); ok && !isNil(reflect.ValueOf(got)) {
		return e.Equal(want)
	}
	return reflect.DeepEqual(got, want)
}

// difference returns what differs between two values that are not equal.
func difference(got, want any) string {
	var d differences
	d.compare("", reflect.ValueOf(got), reflect.ValueOf(want), 0)
	if len(d) == 0 { // such as two functions, or values with a method Equal
		d.add("", reflect.ValueOf(got), reflect.ValueOf(want))
	}
	if more := len(d) - maxLines; more > 0 {
		d = append(d[:maxLines], fmt.Sprintf("\n    and %d more", more))
	}
	return strings.Join(d, "")
}

// differences describes the parts of two values that differ, a part each.
type differences []string

// compare adds what differs between two parts of values at the same path.
func (d *differences) compare(path string, got, want reflect.Value, depth int) {
	if !got.IsValid() || !want.IsValid() || got.Type() != want.Type() || depth > maxDepth || isNil(got) != isNil(want) {
		if got.IsValid() || want.IsValid() {
			d.add(path, got, want)
		}
		return
	}
	if _, ok := got.Type().MethodByName("String"); ok {
		d.compareText(path, got, want)
		return
	}
	switch got.Kind() {
	case reflect.Pointer, reflect.Interface:
		d.compare(path, got.Elem(), want.Elem(), depth+1)
	case reflect.Struct:
		for i := range got.NumField() {
			d.compare(path+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range max(got.Len(), want.Len()) {
			d.compare(fmt.Sprintf("%s[%d]", path, i), element(got, i), element(want, i), depth+1)
		}
	case reflect.Map:
		for _, key := range got.MapKeys() {
			d.compare(fmt.Sprintf("%s[%#v]", path, key), got.MapIndex(key), want.MapIndex(key), depth+1)
		}
		for _, key := range want.MapKeys() {
			if !got.MapIndex(key).IsValid() {
				d.add(fmt.Sprintf("%s[%#v]", path, key), reflect.Value{}, want.MapIndex(key))
			}
		}
	default:
		d.compareText(path, got, want)
	}
}

func (d *differences) compareText(path string, got, want reflect.Value) {
	if show(got) != show(want) {
		d.add(path, got, want)
	}
}

// add adds a part that differs. A value that is not valid is missing.
func (d *differences) add(path string, got, want reflect.Value) {
	if path != "" {
		path = "\n  " + path
	}
	*d = append(*d, fmt.Sprintf("%s\n     got %s\n    want %s", path, show(got), show(want)))
}

// element returns the element at i, not valid behind the end.
func element(v reflect.Value, i int) reflect.Value {
	if i < v.Len() {
		return v.Index(i)
	}
	return reflect.Value{}
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
	var text string
	switch {
	case !v.IsValid():
		return "nothing"
	case v.Kind() == reflect.String:
		text = fmt.Sprintf("%q", v)
	default:
		text = fmt.Sprintf("%+v", v)
	}
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	return text
}
