package notifytemplate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytemplate"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/internal/check"
)

func ExampleParseJSON() {
	body, err := notifytemplate.ParseJSON(`{"summary": {{json .Alert.Title}}, "count": {{json .Alert.Occurrences}}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	secrets := []notify.Secret{notify.NewSecret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")}
	if _, err := webhook.New("https://hooks.example.com", secrets, &webhook.Options{Body: body}); err != nil {
		fmt.Println(err)
		return
	}
	text, err := body(notifytest.Notification())
	fmt.Printf("%s %v\n", text, err)
	// Output: {"summary": "Suspicious Pattern Detected: FAILED_AUTH", "count": 3} <nil>
}

// TestJSONIsEscaped: no text of an event gets out of its string.
func TestJSONIsEscaped(t *testing.T) {
	t.Parallel()
	body := check.Must(notifytemplate.ParseJSON(`{"title": {{json .Alert.Title}}}`))(t)
	for _, text := range notifytest.Texts() {
		n := notifytest.Notification()
		n.Alert.Title = text
		var got struct{ Title string }
		check.NoError(t, "decode", json.Unmarshal(check.Must(body(n))(t), &got))
		check.Equal(t, "title", got.Title, string([]rune(text)))
	}
}

func TestBadJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{{`:                                    "notifytemplate: parse JSON: body: ",
		`{{json .Nothing}}`:                     "Nothing",
		`{"a": {{.Reason}}}`:                    "the text is not JSON",
		`"` + strings.Repeat("x", 64<<10) + `"`: "the text is longer than 65536 bytes",
	} {
		_, err := notifytemplate.ParseJSON(text)
		check.ErrorText(t, "ParseJSON", err, want)
	}
	body := check.Must(notifytemplate.ParseJSON(`{"title": "{{.Alert.Title}}"}`))(t)
	n := notifytest.Notification()
	n.Alert.Title = `"}`
	_, err := body(n)
	check.ErrorText(t, "a text that gets out", err, "the text is not JSON")
}
