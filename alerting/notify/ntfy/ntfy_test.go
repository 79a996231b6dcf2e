package ntfy_test

import (
	"fmt"
	"mime"
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
		New: func(tb testing.TB, url string, t notify.Transport) alerting.Notifier {
			o := o
			o.Transport = t
			n := check.Must(ntfy.New(url, &o))(tb)
			return n
		},
		Body:    `{"id":"hwQ2YpKdmg","event":"message"}`,
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
		"=?utf-8?q?X?=":                    "= ?utf-8?q?X?=",
		strings.Repeat("lang ü ", 40):      strings.TrimSpace(strings.Repeat("lang ü ", 40)),
	} {
		n := notifytest.Notification()
		n.Alert.Title, n.Alert.Source = title, "Quelle, groß\n"
		r := destination(ntfy.Options{}).Receive(t, n)
		for name, want := range map[string]string{"Title": want, "Tags": "warning,SECURITY,HIGH,Quelle  groß,active"} {
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

func TestTopic(t *testing.T) {
	t.Parallel()
	for organization, want := range map[string]string{
		"acme":            "/acme",
		"../admin":        "/..%2Fadmin",
		"..":              "/%2E%2E",
		".":               "/%2E",
		"a b?x=1#y":       "/a%20b%3Fx=1%23y",
		"münchen\r\nX: y": "/m%C3%BCnchen%0D%0AX:%20y",
	} {
		n := notifytest.Notification()
		n.Alert.OrganizationID = organization
		check.Equal(t, fmt.Sprintf("path of %q", organization), destination(ntfy.Options{}).Receive(t, n).Path, want)
		if got := destination(ntfy.Options{Topic: "alerts"}).Receive(t, n).Path; got != "/alerts" {
			t.Errorf("path with a topic of its own = %q", got)
		}
	}
}

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
		"bad template":     {"https://ntfy.sh", &ntfy.Options{Templates: notify.Templates{Title: "{{"}}, "Templates.Title"},
		"negative timeout": {"https://ntfy.sh", &ntfy.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
	} {
		if _, err := ntfy.New(tt.url, tt.options); err == nil || !strings.HasPrefix(err.Error(), "ntfy: make notifier: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: New = %v, want an error about %s", name, err, tt.want)
		}
	}
	if _, err := ntfy.New("http://ntfy.internal", nil); err != nil {
		t.Errorf("New without a token = %v", err)
	}
}
