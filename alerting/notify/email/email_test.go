package email_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/email"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	sender    = "Audit <audit@example.com>"
	recipient = "ann@example.com"
	password  = "s3cret-password"
)

// certificates returns TLS settings of a server, and a transport that trusts it.
func certificates(t *testing.T) (*tls.Config, notify.Transport) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}, notifytest.Loopback(s)
}

func newNotifier(t *testing.T, addr string, o *email.Options) *email.Notifier {
	t.Helper()
	n, err := email.New(addr, sender, []string{recipient, "Bob <bob@example.com>"}, o)
	require.NoError(t, err)
	return n
}

// parse reads a mail with a plain and an HTML part.
func parse(t *testing.T, text string) (header mail.Header, plain, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	require.NoError(t, err, text)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m.Header, parts["text/plain"], parts["text/html"]
		}
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		require.NoError(t, err)
		body, err := io.ReadAll(p)
		require.NoError(t, err)
		parts[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

func subject(t *testing.T, h mail.Header) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	require.NoError(t, err)
	return text
}

func TestMail(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	s := (&server{tls: config}).start(t)
	notifier := newNotifier(t, s.addr, &email.Options{Transport: transport})
	var previous mail.Header
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved} {
		n := notifytest.InStatus(status)
		n.Key = "key-" + string(status)
		for range 2 { // it comes again
			require.NoError(t, notifier.Notify(t.Context(), n))
		}
		_, mails := s.received()
		first, _, _ := parse(t, mails[len(mails)-2])
		h, plain, html := parse(t, mails[len(mails)-1])
		for name, want := range map[string]string{
			"From":           `"Audit" <audit@example.com>`,
			"To":             `<ann@example.com>, "Bob" <bob@example.com>`,
			"Auto-Submitted": "auto-generated",
			"Importance":     "high",

			"X-Auto-Response-Suppress": "All",
			"Message-Id":               first.Get("Message-Id"),
			"References":               h.Get("In-Reply-To"),
		} {
			require.Equal(t, want, h.Get(name), name)
		}
		require.Equal(t, "[HIGH, "+string(status)+"] "+n.Alert.Title, subject(t, h))
		for _, text := range []string{plain, html} {
			require.Contains(t, text, n.Alert.Description)
			require.Contains(t, text, "Status: "+string(status))
		}
		_, err := h.Date()
		require.NoError(t, err)
		require.Regexp(t, `^<notification\.[0-9a-f]{32}@example\.com>$`, h.Get("Message-Id"))
		require.Regexp(t, `^<alert\.[0-9a-f]{32}@example\.com>$`, h.Get("References"))
		if previous != nil {
			require.NotEqual(t, previous.Get("Message-Id"), h.Get("Message-Id"), "two notifications have one Message-ID")
			require.Equal(t, previous.Get("References"), h.Get("References"), "the thread")
		}
		previous = h
	}
	other := notifytest.Notification()
	other.Alert.ID = "alert-2"
	require.NoError(t, notifier.Notify(t.Context(), other))
	_, mails := s.received()
	h, _, _ := parse(t, mails[len(mails)-1])
	require.NotEqual(t, previous.Get("References"), h.Get("References"), "two alerts are one thread")
}

// TestThreads compares alerts whose organization and ID are the same text when
// they are put together.
func TestThreads(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	s := (&server{tls: config}).start(t)
	notifier := newNotifier(t, s.addr, &email.Options{Transport: transport})
	threads := map[string]bool{}
	for _, ref := range [][2]string{{"a", "b"}, {"ab", ""}, {"a\x00", "b"}, {"a", "\x00b"}, {`a"`, "b"}, {"a", `"b`}, {`a""`, "b"}} {
		n := notifytest.Notification()
		n.Alert.OrganizationID, n.Alert.ID = ref[0], ref[1]
		require.NoError(t, notifier.Notify(t.Context(), n))
		_, mails := s.received()
		h, _, _ := parse(t, mails[len(mails)-1])
		threads[h.Get("References")] = true
	}
	require.Len(t, threads, 7)
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	s := (&server{tls: config}).start(t)
	notifier := newNotifier(t, s.addr, &email.Options{Transport: transport})
	n := notifytest.Notification()
	a := n.Alert
	for _, field := range []*string{&n.Key, &a.ID, &a.Title, &a.Description, &a.OrganizationID, &a.Finding.Rule, &a.Source} {
		*field = notifytest.Hostile + ".\r\n.\r\nMAIL FROM:<eve@example.com>\r\n"
	}
	require.NoError(t, notifier.Notify(t.Context(), n))
	commands, mails := s.received()
	require.Len(t, mails, 1)
	require.NotContains(t, strings.Join(commands, "\n"), "eve")
	h, plain, html := parse(t, mails[0])
	require.Empty(t, h.Get("X-Injected"))
	require.Len(t, h["To"], 1)
	require.False(t, strings.ContainsAny(subject(t, h), "\r\n\x00"), "subject %q", subject(t, h))
	require.Contains(t, subject(t, h), "eve  X-Injected: yes")
	require.NotContains(t, html, "<script")
	require.Contains(t, html, "&lt;script&gt;")
	require.Contains(t, plain, "<script>")
	require.NotContains(t, plain, "\u202e")
}

func TestTLSAndAuthentication(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	plain := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00ann\x00"+password))
	account := email.Options{Username: "ann", Password: notify.NewSecret(password), Transport: transport}
	with := func(o email.Options, s email.Security) *email.Options {
		o.Security = s
		return &o
	}
	anonymous := email.Options{Transport: transport}
	untrusting := email.Options{Transport: notifytest.Loopback(nil)}
	for name, tt := range map[string]struct {
		server  *server
		options *email.Options
		want    []string // commands before MAIL; nil: there is none
	}{
		"STARTTLS":                 {&server{tls: config}, &anonymous, []string{"EHLO", "STARTTLS", "EHLO"}},
		"STARTTLS and password":    {&server{tls: config, auth: "CRAM-MD5 PLAIN"}, &account, []string{"EHLO", "STARTTLS", "EHLO", plain}},
		"implicit TLS":             {&server{tls: config, first: true}, with(anonymous, email.ImplicitTLS), []string{"EHLO"}},
		"implicit and password":    {&server{tls: config, first: true, auth: "LOGIN PLAIN"}, with(account, email.ImplicitTLS), []string{"EHLO", plain}},
		"plain":                    {&server{}, with(anonymous, email.NoTLS), []string{"EHLO"}},
		"plain and password, here": {&server{auth: "PLAIN"}, with(account, email.NoTLS), []string{"EHLO", plain}},
		"no STARTTLS":              {&server{auth: "PLAIN"}, &account, nil},
		"STARTTLS is refused":      {&server{tls: config, auth: "PLAIN", replies: map[string]string{"STARTTLS": "454 later"}}, &account, nil},
		"no TLS where it is first": {&server{auth: "PLAIN"}, with(account, email.ImplicitTLS), nil},
		"no authentication":        {&server{tls: config}, &account, nil},
		"unknown certificate":      {&server{tls: config}, &untrusting, nil},
		"unknown, implicit":        {&server{tls: config, first: true}, with(untrusting, email.ImplicitTLS), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tt.server.start(t)
			o := *tt.options
			if tt.server.tls == nil {
				o.Transport.Timeout = 500 * time.Millisecond // a handshake waits for a response
			}
			err := newNotifier(t, s.addr, &o).Notify(t.Context(), notifytest.Notification())
			commands, mails := s.received()
			i := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "MAIL") })
			if tt.want == nil {
				require.Error(t, err)
				if name == "no authentication" || name == "no STARTTLS" {
					require.ErrorContains(t, err, "the server does not offer STARTTLS or a supported authentication method")
				}
				require.NotRegexp(t, `(?m)^(MAIL|AUTH)`, strings.Join(commands, "\n"))
				return
			}
			require.NoError(t, err, commands)
			require.Len(t, mails, 1)
			var got []string
			for _, c := range commands[:i] {
				if strings.HasPrefix(c, "EHLO") {
					c = "EHLO"
				}
				got = append(got, c)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	huge := strings.Repeat("250-confidential\r\n", 100_000) + "250 OK"
	const (
		retry = iota
		permanent
		delivered
	)
	for _, command := range []string{"GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END", "QUIT"} {
		for reply, want := range map[string]int{
			"421 confidential":                       retry,
			"450 4.2.1 confidential":                 retry,
			"451-confidential\r\n451 " + password:    retry,
			"500 confidential":                       permanent,
			"535 5.7.8 confidential s3cret-password": permanent,
			"550 5.1.1 confidential":                 permanent,
			"554 confidential":                       permanent,
			"confidential garbage":                   retry,
			"999999999999999999999 confidential":     retry,
			huge:                                     retry,
			"RESET":                                  retry,
			"HANG":                                   retry,
		} {
			if command == "QUIT" {
				want = delivered // the mail was accepted
			}
			if command == "EHLO" && want == permanent {
				continue // then HELO is tried
			}
			t.Run(fmt.Sprintf("%s %.20q", command, reply), func(t *testing.T) {
				t.Parallel()
				s := (&server{tls: config, auth: "PLAIN", replies: map[string]string{command: reply}}).start(t)
				o := &email.Options{Username: "ann", Password: notify.NewSecret(password), Transport: transport}
				if reply == "HANG" {
					o.Transport.Timeout = 300 * time.Millisecond
				}
				err := newNotifier(t, s.addr, o).Notify(t.Context(), notifytest.Notification())
				if want == delivered {
					require.NoError(t, err)
					return
				}
				var e *alerting.DeliveryError
				require.ErrorAs(t, err, &e)
				require.Equal(t, want == permanent, e.Permanent, err)
				if reply == "HANG" {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				for _, secret := range []string{"confidential", password, base64.StdEncoding.EncodeToString([]byte(password))} {
					require.NotContains(t, fmt.Sprintf("%v %+v", err, e.Err), secret)
				}
				require.ErrorContains(t, err, s.addr)
				if want == permanent {
					require.ErrorContains(t, err, "reply "+reply[:3])
				}
			})
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	s := (&server{tls: config, replies: map[string]string{"MAIL": "HANG"}}).start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	transport.Timeout = time.Hour
	err := newNotifier(t, s.addr, &email.Options{Transport: transport}).Notify(ctx, notifytest.Notification())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRefusedAddress(t *testing.T) {
	t.Parallel()
	s := (&server{}).start(t)
	_, port, _ := strings.Cut(s.addr, ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"} {
		o := &email.Options{Security: email.NoTLS}
		err := newNotifier(t, host+":"+port, o).Notify(t.Context(), notifytest.Notification())
		require.ErrorContains(t, err, "allowed", host)
	}
	commands, _ := s.received()
	require.Empty(t, commands)
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	secret := notify.NewSecret(password)
	for name, tt := range map[string]struct {
		server, from string
		to           []string
		options      *email.Options
		want         string
	}{
		"no server":           {"", sender, []string{recipient}, nil, "server"},
		"no port":             {"mail.example.com", sender, []string{recipient}, nil, "server"},
		"no host":             {":25", sender, []string{recipient}, nil, "server"},
		"bad port":            {"mail.example.com:99999", sender, []string{recipient}, nil, "server"},
		"no sender":           {"mail.example.com:25", "", []string{recipient}, nil, "from"},
		"two senders":         {"mail.example.com:25", "a@example.com\r\nTo: b@example.com", []string{recipient}, nil, "from"},
		"no recipient":        {"mail.example.com:25", sender, nil, nil, "to"},
		"bad recipient":       {"mail.example.com:25", sender, []string{recipient, "bob"}, nil, "to[1]"},
		"bad security":        {"mail.example.com:25", sender, []string{recipient}, &email.Options{Security: 7}, "Security"},
		"user without secret": {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann"}, "Password"},
		"secret without user": {"mail.example.com:25", sender, []string{recipient}, &email.Options{Password: secret}, "Username"},
		"secret without TLS":  {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann", Password: secret, Security: email.NoTLS}, "Security"},
		"bad template":        {"mail.example.com:25", sender, []string{recipient}, &email.Options{Templates: notify.Templates{Body: "{{.Nobody}}"}}, "Templates.Body"},
		"bad timeout":         {"mail.example.com:25", sender, []string{recipient}, &email.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := email.New(tt.server, tt.from, tt.to, tt.options)
			require.Error(t, err)
			require.Regexp(t, `^email: make notifier: .*`+regexp.QuoteMeta(tt.want), err.Error())
			require.NotContains(t, err.Error(), password)
		})
	}
}

func TestPrinted(t *testing.T) {
	t.Parallel()
	n := newNotifier(t, "mail.example.com:587", &email.Options{Username: "ann", Password: notify.NewSecret(password)})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		text := fmt.Sprintf(format, n)
		require.NotContains(t, text, password, format)
		require.NotContains(t, text, fmt.Sprintf("%x", password), format)
	}
}

// TestRealServer sends to a server that nobody here wrote.
func TestRealServer(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	private, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]},
		key:  {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
	for name, tt := range map[string]struct {
		args     []string
		security email.Security
	}{
		"STARTTLS":     {[]string{"--tlscert", cert, "--tlskey", key}, email.StartTLS},
		"implicit TLS": {[]string{"--smtpscert", cert, "--smtpskey", key}, email.ImplicitTLS},
		"no TLS":       {nil, email.NoTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testservice.SMTP(t, tt.args...)
			notifier := newNotifier(t, s.Addr, &email.Options{Security: tt.security, Transport: transport})
			n := notifytest.Notification()
			n.Alert.Title = "Überfall " + notifytest.Hostile
			n.Alert.Description = ".\r\n.\r\n" + strings.Repeat("ein sehr langer Text, größer als eine Zeile. ", 300)
			for range 2 {
				require.NoError(t, notifier.Notify(t.Context(), n))
			}
			mails := s.Received()
			require.Len(t, mails, 2)
			h, plain, html := parse(t, mails[0])
			require.Regexp(t, `^\[HIGH, active\] Überfall eve  X-Injected`, subject(t, h))
			require.Contains(t, plain, "größer als eine Zeile. ein")
			require.Contains(t, html, "größer")
			require.Empty(t, h.Get("X-Injected"))
			// The server is away. A retry brings the mail.
			s.Kill()
			var e *alerting.DeliveryError
			require.ErrorAs(t, notifier.Notify(t.Context(), n), &e)
			require.False(t, e.Permanent, e)
			s.Restart()
			require.NoError(t, notifier.Notify(t.Context(), n))
			require.Len(t, s.Received(), 3)
		})
	}
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		s := testservice.SMTP(t, "--size", "500")
		notifier := newNotifier(t, s.Addr, &email.Options{Security: email.NoTLS, Transport: transport})
		var e *alerting.DeliveryError
		require.ErrorAs(t, notifier.Notify(t.Context(), notifytest.Notification()), &e)
		require.True(t, e.Permanent)
		require.ErrorContains(t, e, "552")
	})
}
