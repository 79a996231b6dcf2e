// Package strictjson decodes JSON that people write by hand, such as settings.
// [encoding/json] matches names in any case and takes the last of two members of
// one name, so that a mistake goes unnoticed.
package strictjson

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// An UnknownFieldError means that an object has a member that its struct has no field
// for.
type UnknownFieldError struct {
	// Path is where the object is, such as "organizations.org-1", and empty for the
	// outermost one.
	Path string
	Name string
}

func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("%sunknown field %q", prefix(e.Path, ": "), e.Name)
}

// Decode reads one object, and nothing behind it, into a pointer to a struct.
// The members of an object must have the exact names in the tags of the struct,
// and each only once; the keys of a map are free. Structs, maps and slices of structs
// may be nested. Null stands for an absent value. A type that decodes itself does so.
// An error names the path of the member, such as "organizations.org-1.timezone".
// With an [UnknownFieldError], which is about the first such member, everything else
// has been read.
func Decode(r io.Reader, into any) error {
	d := &decoder{Decoder: json.NewDecoder(r)}
	switch err := d.decode(reflect.ValueOf(into).Elem(), ""); {
	case errors.Is(err, io.EOF) && d.InputOffset() == 0:
		return errors.New("it is empty")
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the object")
	}
	if d.unknown != nil {
		return d.unknown
	}
	return nil
}

type decoder struct {
	*json.Decoder
	unknown *UnknownFieldError // the first
}

func (d *decoder) decode(into reflect.Value, path string) error {
	kind := into.Kind()
	switch {
	case decodesItself(into.Type()):
	case kind == reflect.Struct, kind == reflect.Map:
		return d.decodeObject(into, path)
	case kind == reflect.Slice && into.Type().Elem().Kind() == reflect.Struct && !decodesItself(into.Type().Elem()):
		return d.decodeArray(into, path)
	}
	err := d.Decode(into.Addr().Interface())
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: a JSON %s does not fit", path, wrong.Value)
	}
	if _, syntax := errors.AsType[*json.SyntaxError](err); err == nil || syntax || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%s%w", prefix(path, ": "), err)
}

// decodesItself reports whether a type has a method for it.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func (d *decoder) decodeObject(into reflect.Value, path string) error {
	switch token, err := d.Token(); {
	case err != nil || token == nil:
		return err
	case token != json.Delim('{'):
		return fmt.Errorf("%sthis is no JSON object: %v", prefix(path, ": "), token)
	}
	known := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name := token.(string) //nolint:errcheck,forcetypeassert // the decoder takes no other names
		if known[name] {
			return fmt.Errorf("%sfield %q is there twice", prefix(path, ": "), name)
		}
		known[name] = true
		if err := d.decodeMember(into, name, path); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// decodeMember reads the value of an object's member.
func (d *decoder) decodeMember(object reflect.Value, name, path string) error {
	own := prefix(path, ".") + name
	if object.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(object.Type()) {
			if tag, ok := field.Tag.Lookup("json"); ok && nameIn(tag) == name {
				return d.decode(object.FieldByIndex(field.Index), own)
			}
		}
		if d.unknown == nil {
			d.unknown = &UnknownFieldError{path, name}
		}
		return d.Decode(&json.RawMessage{})
	}
	if object.IsNil() {
		object.Set(reflect.MakeMap(object.Type()))
	}
	key := reflect.New(object.Type().Key())
	if k, ok := key.Interface().(encoding.TextUnmarshaler); ok {
		if err := k.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	} else {
		key.Elem().SetString(name)
	}
	value := reflect.New(object.Type().Elem()).Elem()
	err := d.decode(value, own)
	object.SetMapIndex(key.Elem(), value)
	return err
}

// nameIn returns the name in a tag, which may have options.
func nameIn(tag string) string {
	name, _, _ := strings.Cut(tag, ",")
	return name
}

func (d *decoder) decodeArray(into reflect.Value, path string) error {
	switch token, err := d.Token(); {
	case err != nil || token == nil:
		return err
	case token != json.Delim('['):
		return fmt.Errorf("%sthis is no JSON array: %v", prefix(path, ": "), token)
	}
	for i := 0; d.More(); i++ {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.decode(value, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
		into.Set(reflect.Append(into, value))
	}
	_, err := d.Token()
	return err
}

// prefix returns the path with what stands behind it, if there is a path.
func prefix(path, behind string) string {
	if path == "" {
		return ""
	}
	return path + behind
}
