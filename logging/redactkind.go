package logging

import (
	"reflect"
	"time"
)

// maxDepth is how deeply values are read that are inside of others.
const maxDepth = 32

// mayBeSecret reports whether a value may be a secret under a name of the class:
// nil, a boolean, a time and a duration are none, and neither are numbers if they
// are counts.
func mayBeSecret(v reflect.Value, class nameClass) bool {
	for range maxDepth {
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Interface {
			break
		}
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() == reflect.Bool {
		return false
	}
	t := v.Type()
	if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[time.Duration]() {
		return false
	}
	if class&plural == 0 {
		return true
	}
	if k := v.Kind(); (k == reflect.Slice || k == reflect.Array) && t.Elem().Kind() != reflect.Uint8 {
		return !isNumberKind(t.Elem().Kind())
	}
	return !isNumberKind(v.Kind()) && (v.Kind() != reflect.String || !isNumber(v.String()))
}

func isNumberKind(k reflect.Kind) bool { return reflect.Int <= k && k <= reflect.Float64 }

func isStruct(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}
