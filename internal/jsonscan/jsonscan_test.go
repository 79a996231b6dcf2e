package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/jsonscan"
)

// read reads a text that is one value.
func read(text string) (any, error) {
	s := jsonscan.New(text)
	v, err := s.Value(0)
	if s.Peek(); err == nil && s.Rest() != "" {
		err = s.Unexpected("the end")
	}
	return v, err
}

func TestValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		` null `:                     nil,
		`true`:                       true,
		`-0.50e+2`:                   json.Number("-0.50e+2"),
		`"\u0041\n\ud83d\ude00 é"`:   "A\n😀 é",
		`[1, "a", [], {}]`:           []any{json.Number("1"), "a", []any{}, map[string]any{}},
		`{"a": {"A": 1}, "a": null}`: map[string]any{"a": nil},
	} {
		got, err := read(text)
		check.NoError(t, text, err)
		check.Equal(t, text, got, want)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", jsonscan.MaxDepth)
	check.NoError(t, "deepest", second(read(deep+strings.Repeat("]", jsonscan.MaxDepth))))
	for text, want := range map[string]string{
		``:               "the text ends where a value is expected",
		`{`:              "the text ends where a field name is expected",
		`{"a" 1}`:        "'1' at offset 5 where a colon is expected",
		`[1 2]`:          "'2' at offset 3 where a comma or the end of the array is expected",
		`01`:             "'1' at offset 1 where the end is expected",
		`1.`:             "where a digit is expected",
		`"\x"`:           "'x' at offset 2 where an escape is expected",
		`"\ud800"`:       "surrogate",
		`"\ud800\u0041"`: "surrogate",
		"\"\xff\"":       "UTF-8",
		"\"\n\"":         "where text or an escape is expected",
		deep + "[":       "nested deeper than 64",
	} {
		_, err := read(text)
		check.ErrorText(t, text, err, want)
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzValue compares with encoding/json, which takes all that this package takes
// and reads it the same.
func FuzzValue(f *testing.F) {
	for _, text := range []string{`{"a":[1,"b",null]}`, `"\ud83d\ude00"`, `-1e-9`, `[[]`, "\"\xff\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := read(text)
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.UseNumber()
		var want any
		plainErr := decoder.Decode(&want)
		switch {
		case err != nil:
		case !utf8.ValidString(text):
			t.Errorf("%q is no UTF-8", text)
		case plainErr != nil:
			t.Errorf("%q: read as %v, but encoding/json says %v", text, got, plainErr)
		case !reflect.DeepEqual(got, want):
			t.Errorf("%q: read as %#v, want %#v", text, got, want)
		}
	})
}
