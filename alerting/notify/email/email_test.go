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
	"slices"
	"strings"
	"testing"
	"time"

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
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// parse reads a mail with a plain and an HTML part.
func parse(t *testing.T, text string) (header mail.Header, plain, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("the mail is not one: %v\n%s", err, text)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q, %v", kind, err)
	}
	parts := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m.Header, parts["text/plain"], parts["text/html"]
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}

func subject(t *testing.T, h mail.Header) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
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
			if err := notifier.Notify(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		_, mails := s.received()
		first, _, _ := parse(t, mails[len(mails)-2])
		h, plain, html := parse(t, mails[len(mails)-1])
		for name, want := range map[string]string{
			"From":           `"Audit" <audit@example.com>`,
			"To":             `<ann@example.com>, "Bob" <bob@example.com>`,
			"Auto-Submitted": "auto-generated",
			"Importance":     "high",
			"Message-Id":     first.Get("Message-Id"),
			"References":     h.Get("In-Reply-To"),
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if got, want := subject(t, h), "[HIGH, "+string(status)+"] "+n.Alert.Title; got != want {
			t.Errorf("subject %q, want %q", got, want)
		}
		for _, text := range []string{plain, html} {
			if !strings.Contains(text, n.Alert.Description) || !strings.Contains(text, "Status: "+string(status)) {
				t.Errorf("the text lacks the description or the status: %s", text)
			}
		}
		if _, err := h.Date(); err != nil {
			t.Errorf("date: %v", err)
		}
		if previous != nil {
			if h.Get("Message-Id") == previous.Get("Message-Id") {
				t.Error("two notifications have one Message-ID")
			}
			if h.Get("References") == "" || h.Get("References") != previous.Get("References") {
				t.Errorf("References %q and %q: no thread", previous.Get("References"), h.Get("References"))
			}
		}
		previous = h
	}
	other := notifytest.Notification()
	other.Alert.ID = "alert-2"
	if err := notifier.Notify(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	_, mails := s.received()
	if h, _, _ := parse(t, mails[len(mails)-1]); h.Get("References") == previous.Get("References") {
		t.Error("two alerts are one thread")
	}
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
	if err := notifier.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	commands, mails := s.received()
	if len(mails) != 1 || slices.ContainsFunc(commands, func(c string) bool { return strings.Contains(c, "eve") }) {
		t.Fatalf("%d mails, commands %q", len(mails), commands)
	}
	h, plain, html := parse(t, mails[0])
	if h.Get("X-Injected") != "" || len(h["To"]) != 1 {
		t.Errorf("the header is injected: %v", h)
	}
	if got := subject(t, h); strings.ContainsAny(got, "\r\n\x00") || !strings.Contains(got, "eve  X-Injected: yes") {
		t.Errorf("subject %q", got)
	}
	if strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script&gt;") {
		t.Errorf("HTML is not escaped: %s", html)
	}
	if !strings.Contains(plain, "<script>") || strings.Contains(plain, "\u202e") {
		t.Errorf("plain text: %q", plain)
	}
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
				o.Transport.Timeout = 500 * time.Millisecond // a handshake waits for an answer
			}
			err := newNotifier(t, s.addr, &o).Notify(t.Context(), notifytest.Notification())
			commands, mails := s.received()
			i := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "MAIL") })
			if tt.want == nil {
				if err == nil || i >= 0 || slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(c, "AUTH") }) {
					t.Errorf("Notify = %v, commands %q", err, commands)
				}
				return
			}
			if err != nil || len(mails) != 1 {
				t.Fatalf("Notify = %v, commands %q", err, commands)
			}
			var got []string
			for _, c := range commands[:i] {
				if strings.HasPrefix(c, "EHLO") {
					c = "EHLO"
				}
				got = append(got, c)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("commands %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	huge := strings.Repeat("250-confidential\r\n", 100_000) + "250 OK"
	const (
		retry = iota
		forGood
		delivered
	)
	for _, command := range []string{"GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END", "QUIT"} {
		for reply, want := range map[string]int{
			"421 confidential":                       retry,
			"450 4.2.1 confidential":                 retry,
			"451-confidential\r\n451 " + password:    retry,
			"500 confidential":                       forGood,
			"535 5.7.8 confidential s3cret-password": forGood,
			"550 5.1.1 confidential":                 forGood,
			"554 confidential":                       forGood,
			"confidential garbage":                   retry,
			"999999999999999999999 confidential":     retry,
			huge:                                     retry,
			"RESET":                                  retry,
			"HANG":                                   retry,
		} {
			if command == "QUIT" {
				want = delivered // the mail was accepted
			}
			if command == "EHLO" && want == forGood {
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
					if err != nil {
						t.Errorf("Notify = %v", err)
					}
					return
				}
				e, ok := errors.AsType[*alerting.DeliveryError](err)
				if !ok || e.Permanent != (want == forGood) {
					t.Fatalf("Notify = %v, permanent = %v", err, ok && e.Permanent)
				}
				if reply == "HANG" && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Notify = %v, want a deadline", err)
				}
				for _, secret := range []string{"confidential", password, base64.StdEncoding.EncodeToString([]byte(password))} {
					if text := fmt.Sprintf("%v %+v", err, e.Err); strings.Contains(text, secret) {
						t.Errorf("the error shows %q: %s", secret, text)
					}
				}
				if !strings.Contains(err.Error(), s.addr) {
					t.Errorf("the error does not say where: %v", err)
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
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Notify = %v", err)
	}
}

func TestRefusedAddress(t *testing.T) {
	t.Parallel()
	s := (&server{}).start(t)
	_, port, _ := strings.Cut(s.addr, ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"} {
		o := &email.Options{Security: email.NoTLS}
		err := newNotifier(t, host+":"+port, o).Notify(t.Context(), notifytest.Notification())
		if err == nil || !strings.Contains(err.Error(), "allowed") {
			t.Errorf("Notify to %s = %v", host, err)
		}
	}
	if commands, _ := s.received(); len(commands) > 0 {
		t.Errorf("the server was asked: %q", commands)
	}
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
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), password) {
				t.Errorf("New = %v, want an error about %s", err, tt.want)
			}
		})
	}
}

func TestPrinted(t *testing.T) {
	t.Parallel()
	n := newNotifier(t, "mail.example.com:587", &email.Options{Username: "ann", Password: notify.NewSecret(password)})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(format, n); strings.Contains(text, password) || strings.Contains(text, fmt.Sprintf("%x", password)) {
			t.Errorf("%s shows the password: %s", format, text)
		}
	}
}

// TestRealServer sends to a server that nobody here wrote.
func TestRealServer(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	private, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]},
		key:  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
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
				if err := notifier.Notify(t.Context(), n); err != nil {
					t.Fatal(err)
				}
			}
			mails := s.Received()
			if len(mails) != 2 {
				t.Fatalf("the server has %d mails", len(mails))
			}
			h, plain, html := parse(t, mails[0])
			if got := subject(t, h); !strings.HasPrefix(got, "[HIGH, active] Überfall eve  X-Injected") {
				t.Errorf("subject %q", got)
			}
			if !strings.Contains(plain, "größer als eine Zeile. ein") || !strings.Contains(html, "größer") || h.Get("X-Injected") != "" {
				t.Errorf("mail: %s", mails[0])
			}
			// And away: nothing is lost that a retry does not bring.
			s.Kill()
			err := notifier.Notify(t.Context(), n)
			if e, ok := errors.AsType[*alerting.DeliveryError](err); !ok || e.Permanent {
				t.Errorf("Notify without a server = %v", err)
			}
			s.Restart()
			if err := notifier.Notify(t.Context(), n); err != nil || len(s.Received()) != 3 {
				t.Errorf("Notify after the restart = %v, %d mails", err, len(s.Received()))
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		s := testservice.SMTP(t, "--size", "500")
		notifier := newNotifier(t, s.Addr, &email.Options{Security: email.NoTLS, Transport: transport})
		err := notifier.Notify(t.Context(), notifytest.Notification())
		if e, ok := errors.AsType[*alerting.DeliveryError](err); !ok || !e.Permanent || !strings.Contains(err.Error(), "552") {
			t.Errorf("Notify = %v", err)
		}
	})
}
