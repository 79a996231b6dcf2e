package ntfy_test

import (
	"crypto/sha256"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/ntfy"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

const token = "tk_s3cret"

func destination(o ntfy.Options) notifytest.HTTP {
	return notifytest.HTTP{
		New: func(url string, t notify.Transport) (alerting.Notifier, error) {
			o := o
			o.Transport = t
			return ntfy.New(url, &o)
		},
		Secrets: []string{token},
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination(ntfy.Options{Token: notify.NewSecret(token)}))
}

// TestReference has the request of the reference.
func TestReference(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	r := destination(ntfy.Options{Token: notify.NewSecret(token)}).Receive(t, n)
	if r.Path != "/acme" || r.Body != n.Alert.Description {
		t.Errorf("path %q, body %q", r.Path, r.Body)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + token,
		"Title":         "Suspicious Pattern Detected: FAILED_AUTH",
		"Tags":          "warning,SECURITY,HIGH,audit-monitoring,active",
		"Priority":      "",
	} {
		check.Equal(t, name, r.Header.Get(name), want)
	}
	n = notifytest.InStatus(monitor.AlertResolved)
	n.Alert.Severity, n.Alert.Source = monitor.SeverityCritical, ""
	n.Reason = alerting.ReasonOpened // it comes late
	r = destination(ntfy.Options{}).Receive(t, n)
	if got := r.Header.Get("Priority"); got != "5" {
		t.Errorf("priority %q", got)
	}
	if got := r.Header.Get("Tags"); got != "warning,SECURITY,CRITICAL,resolved" {
		t.Errorf("tags %q", got)
	}
	if _, ok := r.Header["Authorization"]; ok {
		t.Error("there is an Authorization without a token")
	}
}

func TestHeadersAreEncoded(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"plain":                            "plain",
		"Überfall 🚨 " + notifytest.Hostile: "Überfall 🚨 eve  X-Injected: yes    <script>alert(\"1\")</script> <!channel> &amp; {{.Reason}}",
		"=?utf-8?q?X?=":                    "=?utf-8?q?X?=",
		"a =?utf-8?b?4oCu?= b":             "a =?utf-8?b?4oCu?= b",
		strings.Repeat("lang ü ", 40):      strings.TrimSpace(strings.Repeat("lang ü ", 40)),
	} {
		n := notifytest.Notification()
		n.Alert.Title, n.Alert.Source = title, "Quelle, groß =?utf-8?q?=2C?=\n"
		r := destination(ntfy.Options{}).Receive(t, n)
		for name, want := range map[string]string{"Title": want, "Tags": "warning,SECURITY,HIGH,Quelle  groß =?utf-8?q?=2C?=,active"} {
			raw := r.Header.Get(name)
			if strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s is not ASCII: %q", name, raw)
			}
			if got, err := new(mime.WordDecoder).DecodeHeader(raw); err != nil || got != want {
				t.Errorf("%s = %q, %v, want %q", name, got, err, want)
			}
		}
		if r.Header.Get("X-Injected") != "" {
			t.Error("a header was injected")
		}
	}
}

// topicPath is the path of a topic for ntfy (server/server.go).
var topicPath = regexp.MustCompile(`^/[-_A-Za-z0-9]{1,64}$`)

func TestTopic(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for organization, own := range map[string]bool{ // whether the name is the topic
		"acme":                  true,
		"Acme_2-b":              true,
		strings.Repeat("a", 63): true,

		strings.Repeat("a", 64):   false,
		strings.Repeat("a", 1000): false,
		ntfy.Topic(".."):          false, // what an attacker would call himself
		"v1/account/token":        false,
		"v1%2Faccount%2Ftoken":    false,
		"acme,other":              false,
		"acme/json":               false,
		"../admin":                false,
		"..":                      false,
		".":                       false,
		"":                        false,
		"a b?x=1#y":               false,
		"münchen\r\nX: y":         false,
		"v1":                      false,
		"account":                 false,
		"docs":                    false,
	} {
		topic := ntfy.Topic(organization)
		check.Equal(t, fmt.Sprintf("%q is a topic", organization), topic == organization, own)
		if other, ok := seen[topic]; ok {
			t.Errorf("%q and %q have the same topic", organization, other)
		}
		seen[topic] = organization
		n := notifytest.Notification()
		n.Alert.OrganizationID = organization
		path := destination(ntfy.Options{}).Receive(t, n).Path
		check.Equal(t, fmt.Sprintf("path of %q", organization), path, "/"+topic)
		if !topicPath.MatchString(path) {
			t.Errorf("the path of %q is %q", organization, path)
		}
	}
	check.Equal(t, "topic", ntfy.Topic("v1/account/token"), fmt.Sprintf("%x", sha256.Sum256([]byte("v1/account/token"))))
	if got := destination(ntfy.Options{Topic: "alerts"}).Receive(t, notifytest.Notification()).Path; got != "/alerts" {
		t.Errorf("path with a topic of its own = %q", got)
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination(ntfy.Options{Token: notify.NewSecret(token)}), func(t *testing.T, n *alerting.Notification, harmless, got notifytest.Received) {
		if !topicPath.MatchString(got.Path) {
			t.Errorf("path %q", got.Path)
		}
		for _, name := range []string{"Authorization", "Priority", "User-Agent"} {
			check.Equal(t, name, got.Header.Get(name), harmless.Header.Get(name))
		}
		title, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Title"))
		check.NoError(t, "title", err)
		check.Equal(t, "title", title, notify.Clip(notify.Line(n.Alert.Title), 400))
		tags, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Tags"))
		check.NoError(t, "tags", err)
		if list := strings.Split(tags, ","); len(list) > 5 || list[0] != "warning" || list[len(list)-1] != "resolved" {
			t.Errorf("tags %q", tags)
		}
		if strings.Contains(got.Body, "\n") || len(got.Body) > 4096 {
			t.Errorf("body %q", got.Body)
		}
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination(ntfy.Options{})) }

func TestTextIsCutOff(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.Description = strings.Repeat("ä", 3000)
	if got := destination(ntfy.Options{}).Receive(t, n).Body; len(got) > 4096 || !strings.HasSuffix(got, "ä…") {
		t.Errorf("%d bytes, %q at the end", len(got), got[len(got)-10:])
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url     string
		options *ntfy.Options
		want    string
	}{
		"no URL":           {"", nil, "URL"},
		"token over http":  {"http://ntfy.example.com", &ntfy.Options{Token: notify.NewSecret(token)}, "URL"},
		"bad token":        {"https://ntfy.sh", &ntfy.Options{Token: notify.NewSecret(token + "\n")}, "option Token"},
		"bad topic":        {"https://ntfy.sh", &ntfy.Options{Topic: "v1/account"}, "option Topic"},
		"reserved topic":   {"https://ntfy.sh", &ntfy.Options{Topic: "docs"}, "option Topic"},
		"long topic":       {"https://ntfy.sh", &ntfy.Options{Topic: strings.Repeat("t", 65)}, "option Topic"},
		"negative timeout": {"https://ntfy.sh", &ntfy.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
	} {
		if _, err := ntfy.New(tt.url, tt.options); err == nil || !strings.HasPrefix(err.Error(), "ntfy: make notifier: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: New = %v, want an error about %s", name, err, tt.want)
		}
	}
	if _, err := ntfy.New("http://ntfy.internal", nil); err != nil {
		t.Errorf("New without a token = %v", err)
	}
	if _, err := ntfy.New("https://ntfy.sh", &ntfy.Options{Topic: strings.Repeat("t", 64)}); err != nil {
		t.Errorf("New with the longest topic = %v", err)
	}
}
