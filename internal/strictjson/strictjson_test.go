package strictjson_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/strictjson"
)

type address struct {
	City string `json:"city"`
}

// Level is a type that decodes itself from text.
type level int

func (l *level) UnmarshalText(text []byte) error {
	if string(text) != "high" {
		return errors.New("no level")
	}
	*l = 3
	return nil
}

type person struct {
	address
	Since   time.Time           `json:"since,omitzero"`
	Homes   []address           `json:"homes,omitempty"`
	Rank    map[level][]address `json:"rank"`
	Age     *int                `json:"age"`
	Names   []string            `json:"names"`
	Home    address             `json:"home"`
	Friends map[string]address  `json:"friends"`
	Hidden  string
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var got person
	err := strictjson.Decode(strings.NewReader(` {"city": "Linz", "age": 7, "names": ["a", "b"],
		"home": {"city": "Graz"}, "friends": {"Ann": {"city": "Wien"}, "ann": {}, "x": null}} `), &got)
	check.NoError(t, "Decode", err)
	age := 7
	check.Equal(t, "person", got, person{
		address: address{"Linz"}, Age: &age, Names: []string{"a", "b"}, Home: address{"Graz"},
		Friends: map[string]address{"Ann": {"Wien"}, "ann": {}, "x": {}},
	})
	got = person{}
	check.NoError(t, "Decode", strictjson.Decode(strings.NewReader(
		`{"since": "2024-03-01T09:00:00Z", "homes": [{"city": "Graz"}, {}], "rank": {"high": [{"city": "Linz"}]}}`), &got))
	check.Equal(t, "person", got, person{
		Since: time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC),
		Homes: []address{{"Graz"}, {}}, Rank: map[level][]address{3: {{"Linz"}}},
	})
	got = person{}
	check.NoError(t, "null", strictjson.Decode(strings.NewReader(`{"age": null, "home": null, "friends": null}`), &got))
	check.Equal(t, "null", got, person{})
	check.NoError(t, "null object", strictjson.Decode(strings.NewReader(`null`), &got))
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                       "it is empty",
		`  `:                                     "it is empty",
		`{`:                                      "unexpected EOF",
		`{"home": {`:                             "unexpected EOF",
		`{"age"`:                                 "unexpected EOF",
		`{"age":`:                                "unexpected EOF",
		`{} {}`:                                  "there is something behind the object",
		`null true`:                              "there is something behind the object",
		`{}}`:                                    "there is something behind the object",
		`[]`:                                     "this is no JSON object: [",
		`true`:                                   "this is no JSON object: true",
		`{"home": 5}`:                            "home: this is no JSON object: 5",
		`{"friends": {"a.b": []}}`:               "friends.a.b: this is no JSON object: [",
		`{"Age": 5}`:                             `unknown field "Age"`,
		`{"hidden": "x"}`:                        `unknown field "hidden"`,
		`{"": "x"}`:                              `unknown field ""`,
		`{"address": {}}`:                        `unknown field "address"`,
		`{"home": {"City": ""}}`:                 `home: unknown field "City"`,
		`{"friends": {"a": {"town": ""}}}`:       `friends.a: unknown field "town"`,
		`{"age": 5, "age": 5}`:                   `field "age" is there twice`,
		`{"friends": {"a": {}, "a": {}}}`:        `friends: field "a" is there twice`,
		`{"friends": {"a": {}, "\u0061": {}}}`:   `friends: field "a" is there twice`,
		`{"age": "5"}`:                           "age: a JSON string does not fit",
		`{"home": {"city": 1}}`:                  "home.city: a JSON number does not fit",
		`{"friends": {"a": {"city": {}}}}`:       "friends.a.city: a JSON object does not fit",
		`{"age": 5.5}`:                           "age: a JSON number 5.5 does not fit",
		`{"homes": {}}`:                          "homes: this is no JSON array: {",
		`{"homes": [{}, {"town": 5}]}`:           `homes[1]: unknown field "town"`,
		`{"homes": [{"city": 5}]}`:               "homes[0].city: a JSON number does not fit",
		`{"homes": [5]}`:                         "homes[0]: this is no JSON object: 5",
		`{"homes": [{}`:                          "unexpected EOF",
		`{"since": "yesterday"}`:                 "since: ",
		`{"rank": {"low": []}}`:                  "rank: no level",
		`{"town": {"a": [1]}, "age": "x"}`:       "age: a JSON string does not fit",
		`{"age": NaN}`:                           "invalid character 'N'",
		`{age: 5}`:                               "invalid character 'a'",
		`{"age": 5,}`:                            "invalid character '}'",
		`{"home": {"city": "x"} "age": 5}`:       "invalid character '\"'",
		`{"friends": {"a": {"city": "x"}, 5: 6}`: "invalid character '5'",
	} {
		check.ErrorText(t, text, strictjson.Decode(strings.NewReader(text), &person{}), want)
	}
}

// TestDecodeReadsTheRest pins what is read beside a member that nobody knows.
func TestDecodeReadsTheRest(t *testing.T) {
	t.Parallel()
	var got person
	err := strictjson.Decode(strings.NewReader(`{"town": {"a": [{}]}, "homes": [{"x": 1, "city": "Graz"}], "city": "Linz"}`), &got)
	unknown, ok := errors.AsType[*strictjson.UnknownFieldError](err)
	if !ok || *unknown != (strictjson.UnknownFieldError{Name: "town"}) {
		t.Errorf("the error is %v, want one about the first member", err)
	}
	check.Equal(t, "person", got, person{address: address{"Linz"}, Homes: []address{{"Graz"}}})
}
