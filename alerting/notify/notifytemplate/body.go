package notifytemplate

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/template"

	"github.com/auditwarden/auditwarden/alerting"
)

var (
	errTooLong = fmt.Errorf("the text is longer than %d bytes", maxText)
	errNotJSON = errors.New("the text is not JSON")
)

// ParseJSON parses a template for the JSON body of a webhook, with the data and functions
// of [Templates]. Write every value with json, which also puts the quotes around a text:
//
//	{"summary": {{json .Alert.Title}}, "count": {{json .Alert.Occurrences}}}
//
// It executes the template with a sample notification, in order to detect fields that do
// not exist. What the template writes must be JSON of at most 64 KiB; for a notification
// for which it is not, the function returns an error. The function is safe for concurrent
// use.
func ParseJSON(text string) (func(*alerting.Notification) ([]byte, error), error) {
	t, err := parse("body", text)
	if err == nil {
		_, err = executeJSON(t, sample())
	}
	if err != nil {
		return nil, fmt.Errorf("notifytemplate: parse JSON: %w", err)
	}
	return func(n *alerting.Notification) ([]byte, error) { return executeJSON(t, n) }, nil
}

func executeJSON(t *template.Template, n *alerting.Notification) ([]byte, error) {
	text, err := execute(t, n)
	switch {
	case err != nil:
		return nil, err
	case len(text) == maxText:
		return nil, errTooLong
	case !json.Valid([]byte(text)):
		return nil, errNotJSON
	}
	return []byte(text), nil
}
