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
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
				for _, secret := range []string{password, base64.StdEncoding.EncodeToString([]byte(password))} {
					require.NotContains(t, fmt.Sprintf("%v %+v %s", err, e.Err, e.Detail), secret)
				}
				require.NotContains(t, err.Error(), "127.0.0.1")
				require.Contains(t, e.Detail, s.addr)
				if want == permanent {
					require.ErrorContains(t, err, "reply "+reply[:3]+": ")
					require.ErrorContains(t, err, "confidential")
				}
				if !regexp.MustCompile(`^[45]\d\d[ -]`).MatchString(reply) {
					require.NotContains(t, fmt.Sprintf("%v %s", err, e.Detail), "confidential")
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

// TestHostileServer: the timeout holds whatever a server does, at every step.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	endless := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, text); err != nil {
					return // the client has gone
				}
			}
		}
	}
	for name, flood := range map[string]func(net.Conn){
		"lines":         endless("250-\r\n"),
		"long lines":    endless(strings.Repeat("250-confidential ", 1000) + "\r\n"),
		"a line":        endless("x"),
		"replies":       endless("250 confidential\r\n"),
		"empty lines":   endless("\r\n"),
		"nothing":       func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"zeros":         endless("\x00"),
		"challenges":    endless("334 cj1hLHM9YSxpPTE=\r\n"),
		"continuations": endless("334 \r\n"),
	} {
		for _, command := range []string{"GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END"} {
			if command != "EHLO" && command != "AUTH" && name != "lines" {
				continue // each at some steps, and one at each
			}
			t.Run(name+" at "+command, func(t *testing.T) {
				t.Parallel()
				s := (&server{tls: config, auth: "PLAIN LOGIN", floods: map[string]func(net.Conn){command: flood}}).start(t)
				o := &email.Options{Username: "ann", Password: notify.NewSecret(password), Transport: transport}
				o.Transport.Timeout = 500 * time.Millisecond
				err := newNotifier(t, s.addr, o).Notify(t.Context(), notifytest.Notification())
				if name == "replies" && err == nil {
					return // they are what was expected, and more
				}
				var e *alerting.DeliveryError
				require.ErrorAs(t, err, &e)
				require.False(t, e.Permanent, err)
				require.NotContains(t, fmt.Sprint(err, e.Detail), "confidential")
			})
		}
	}
}

// TestIterations: SCRAM hashes the password as often as the server says, and no time
// limit ends that.
func TestIterations(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	for challenge, asked := range map[string]bool{ // whether the password was hashed
		",s=c2FsdA==,i=4096":                 true,
		",s=c2FsdA==,i=100000":               true,
		",s=c2FsdA==,i=100001":               false,
		",s=c2FsdA==,i=30000000":             false,
		",s=c2FsdA==,i=9223372036854775807":  false,
		",s=c2FsdA==,i=99999999999999999999": false,
		",s=c2FsdA==,i=4096,i=30000000":      false,
		",i=30000000,s=c2FsdA==":             false,
	} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			s := (&server{tls: config, auth: "PLAIN SCRAM-SHA-256", scram: challenge}).start(t)
			o := &email.Options{Username: "ann", Password: notify.NewSecret(password), Transport: transport}
			err := newNotifier(t, s.addr, o).Notify(t.Context(), notifytest.Notification())
			commands, _ := s.received()
			proved := slices.ContainsFunc(commands, func(c string) bool {
				text, err := base64.StdEncoding.DecodeString(c)
				return err == nil && strings.Contains(string(text), ",p=")
			})
			require.Equal(t, asked, proved, commands)
			require.NotContains(t, strings.Join(commands, "\n"), "AUTH PLAIN")
			if !asked {
				require.EqualError(t, err, "email: send: the server asks for too many iterations of SCRAM")
			}
		})
	}
}

// TestTextsAreRead: a mail program reads what was there, and decodes nothing else.
func TestTextsAreRead(t *testing.T) {
	t.Parallel()
	config, transport := certificates(t)
	s := (&server{tls: config}).start(t)
	notifier := newNotifier(t, s.addr, &email.Options{Transport: transport, Text: title})
	for _, text := range notifytest.Texts() {
		n := notifytest.Filled(notifytest.Notification(), text)
		require.NoError(t, notifier.Notify(t.Context(), n))
		_, mails := s.received()
		checkMail(t, n, mails[len(mails)-1])
	}
}

// title is a [notify.TextFunc].
func title(n *alerting.Notification) (title, body string, err error) { return n.Alert.Title, "", nil }

func checkMail(t *testing.T, n *alerting.Notification, text string) {
	t.Helper()
	h, plain, html := parse(t, text)
	require.ElementsMatch(t, []string{
		"Date", "Mime-Version", "Message-Id", "From", "To", "Subject", "Content-Type",
		"In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress",
		"Importance", "Priority", "X-Msmail-Priority", "X-Priority",
	}, slices.Collect(maps.Keys(h)))
	for name, values := range h {
		require.Len(t, values, 1, name)
		require.NotRegexp(t, `[^ -~]`, values[0], name)
	}
	require.Equal(t, `"Audit" <audit@example.com>`, h.Get("From"))
	if want := notify.Clip(notify.Line(n.Alert.Title), 400); want != "" {
		require.Equal(t, strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(subject(t, h)), " "))
	}
	_, body, err := notify.Text(n)
	require.NoError(t, err)
	if len(body) < 16<<10 {
		require.Equal(t, strings.TrimSpace(body), strings.TrimSpace(plain))
	}
	require.Regexp(t, `^<!DOCTYPE html>\n<html><body><div style="border-left: 4px solid #[0-9a-f]{6}; padding-left: 1em">\n`+
		`<h3>[^<>]*</h3>\n<div style="white-space: pre-wrap">[^<>]*</div>\n</div></body></html>\n$`, html)
}

func FuzzText(f *testing.F) {
	for _, text := range notifytest.Texts() {
		f.Add(text)
	}
	s := (&server{}).start(f)
	notifier, err := email.New(s.addr, sender, []string{recipient},
		&email.Options{Security: email.NoTLS, Transport: notifytest.Loopback(nil), Text: title})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		n := notifytest.Filled(notifytest.Notification(), text)
		require.NoError(t, notifier.Notify(t.Context(), n))
		commands, mails := s.received()
		checkMail(t, n, mails[len(mails)-1])
		require.Equal(t, []string{"MAIL FROM:<audit@example.com> BODY=8BITMIME", "RCPT TO:<ann@example.com>", "DATA", "MAIL END", "QUIT"}, commands[len(commands)-5:])
		s.forget()
	})
}

// safeError is what the error of a delivery may say.
var safeError = regexp.MustCompile(`^(refused permanently: )?email: send: (reply \d{3,}(: [\pL0-9_'"` + "`" + `.,:;()\[\]{}!?… -]+)?|connection (reset|failed)|the response is cut off|timed out|` +
	`the connection broke, or the server does not offer STARTTLS or a supported authentication method|` +
	`the server asks for too many iterations of SCRAM)$`)

// FuzzReplies sends to a server that says what is fuzzed, whatever it is told.
func FuzzReplies(f *testing.F) {
	const hello = "220 mail\r\n250-mail\r\n250 AUTH "
	f.Add(hello + "PLAIN\r\n235 welcome\r\n250 OK\r\n250 OK\r\n354 go on\r\n250 accepted\r\n221 bye\r\n")
	f.Add(hello + "PLAIN\r\n535 5.7.8 confidential\r\n")
	f.Add(hello + "LOGIN\r\n334 \r\n334 \r\n334 \r\n")
	f.Add(hello + "SCRAM-SHA-256\r\n334 \r\n334 cj1hLHM9YSxpPTMwMDAwMDAw\r\n")
	f.Add("220-mail\r\n220")
	f.Add("554 go away\r\n")
	f.Add("99999999999999999999 x\r\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	replies := make(chan string)
	var serving sync.WaitGroup
	serving.Go(func() {
		for text := range replies {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	})
	f.Cleanup(func() {
		l.Close()
		close(replies)
		serving.Wait()
	})
	o := &email.Options{Security: email.NoTLS, Username: "ann", Password: notify.NewSecret(password), Transport: notifytest.Loopback(nil)}
	notifier, err := email.New(l.Addr().String(), sender, []string{recipient}, o)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		replies <- text
		if err := notifier.Notify(t.Context(), notifytest.Notification()); err != nil {
			require.Regexp(t, safeError, err.Error())
			return
		}
		_, rest, asked := strings.Cut(text, "354")
		require.True(t, asked && strings.Contains(rest, "250"), "delivered after %q", text)
	})
}

// TestRefusedAddress: what is known of a server is said at once.
func TestRefusedAddress(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "168.63.129.16"} {
		_, err := email.New(host+":25", sender, []string{recipient}, nil)
		require.ErrorContains(t, err, "email: make notifier: server: address ", host)
		require.ErrorContains(t, err, "is neither public nor in an allowed network", host)
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
		"URL":                 {"smtp://user:" + password + "@mail.example.com:25", sender, []string{recipient}, nil, "server"},
		"user":                {password + "@mail.example.com:25", sender, []string{recipient}, nil, "server"},
		"no host":             {":25", sender, []string{recipient}, nil, "server"},
		"bad port":            {"mail.example.com:99999", sender, []string{recipient}, nil, "server"},
		"no sender":           {"mail.example.com:25", "", []string{recipient}, nil, "from"},
		"two senders":         {"mail.example.com:25", "a@example.com\r\nTo: b@example.com", []string{recipient}, nil, "from"},
		"no recipient":        {"mail.example.com:25", sender, nil, nil, "to"},
		"bad recipient":       {"mail.example.com:25", sender, []string{recipient, "bob"}, nil, "to[1]"},
		"proxy":               {"mail.example.com:25", sender, []string{recipient}, &email.Options{Transport: notify.Transport{Proxy: &url.URL{Scheme: "http", Host: "proxy.example.com"}}}, "Proxy"},
		"bad security":        {"mail.example.com:25", sender, []string{recipient}, &email.Options{Security: 7}, "Security"},
		"user without secret": {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann"}, "Password"},
		"secret without user": {"mail.example.com:25", sender, []string{recipient}, &email.Options{Password: secret}, "Username"},
		"secret without TLS":  {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann", Password: secret, Security: email.NoTLS}, "Security"},
		"password as sender":  {"mail.example.com:25", password, []string{recipient}, nil, "from"},
		"password in to":      {"mail.example.com:25", sender, []string{password}, nil, "to[0]"},
		"encoded name":        {"mail.example.com:25", `"=?utf-8?q?X?=" <audit@example.com>`, []string{recipient}, nil, "from: has a name"},
		"name backwards":      {"mail.example.com:25", sender, []string{"=?utf-8?q?a=E2=80=AE?= <ann@example.com>"}, nil, "to[0]: has a name"},
		"address of two":      {"mail.example.com:25", sender, []string{`"a> <b"@example.com`}, nil, "to[0]: is not an address"},
		"user of two lines":   {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann\r\n", Password: secret}, "option Username"},
		"secret of two lines": {"mail.example.com:25", sender, []string{recipient}, &email.Options{Username: "ann", Password: notify.NewSecret(password + "\n")}, "option Password"},
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
