package strictjson_test

import (
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/strictjson"
)

type address struct {
	City string `json:"city"`
}

type person struct {
	address
	Age     *int               `json:"age"`
	Names   []string           `json:"names"`
	Home    address            `json:"home"`
	Friends map[string]address `json:"friends"`
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
		`{"age": NaN}`:                           "invalid character 'N'",
		`{age: 5}`:                               "invalid character 'a'",
		`{"age": 5,}`:                            "invalid character '}'",
		`{"home": {"city": "x"} "age": 5}`:       "invalid character '\"'",
		`{"friends": {"a": {"city": "x"}, 5: 6}`: "invalid character '5'",
	} {
		check.ErrorText(t, text, strictjson.Decode(strings.NewReader(text), &person{}), want)
	}
}
