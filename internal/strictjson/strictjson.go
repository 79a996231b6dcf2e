// Package strictjson decodes JSON that people write by hand, such as settings.
// [encoding/json] matches names in any case and takes the last of two members of
// one name, so that a mistake goes unnoticed.
package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Decode reads one object, and nothing behind it, into a pointer to a struct.
// The members of an object must have the exact names in the tags of the struct,
// and each only once; the keys of a map are free. Structs and maps of structs
// may be nested. Null stands for an absent value. An error names the path of the
// member, such as "organizations.org-1.timezone".
func Decode(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	switch err := decode(d, reflect.ValueOf(into).Elem(), ""); {
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
	return nil
}

func decode(d *json.Decoder, into reflect.Value, path string) error {
	if into.Kind() != reflect.Struct && into.Kind() != reflect.Map {
		err := d.Decode(into.Addr().Interface())
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("%s: a JSON %s does not fit", path, wrong.Value)
		}
		return err
	}
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
		if err := decodeMember(d, into, name, path); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// decodeMember reads the value of an object's member.
func decodeMember(d *json.Decoder, object reflect.Value, name, path string) error {
	own := prefix(path, ".") + name
	if object.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(object.Type()) {
			if tag, ok := field.Tag.Lookup("json"); ok && tag == name {
				return decode(d, object.FieldByIndex(field.Index), own)
			}
		}
		return fmt.Errorf("%sunknown field %q", prefix(path, ": "), name)
	}
	if object.IsNil() {
		object.Set(reflect.MakeMap(object.Type()))
	}
	value := reflect.New(object.Type().Elem()).Elem()
	err := decode(d, value, own)
	object.SetMapIndex(reflect.ValueOf(name), value)
	return err
}

// prefix returns the path with what stands behind it, if there is a path.
func prefix(path, behind string) string {
	if path == "" {
		return ""
	}
	return path + behind
}
