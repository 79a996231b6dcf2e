// Package email delivers notifications as emails by SMTP. An email contains the
// text as plain text and as HTML. The emails about one alert form a thread. The
// Message-ID is derived from the notification's idempotency key, so that a mail
// server or client can recognize an email that arrives again.
//
// By default no email is sent unless the server offers STARTTLS; see
// [Options.Security].
//
// An email goes to all recipients that the server accepts. The error names those that
// it refuses, by their index in the list. It is temporary while a recipient is left
// that was refused with a 4xx reply. The next attempt is for those alone: the others
// get the email once. When nobody is left, and somebody was refused with a 5xx reply,
// the error is permanent; if the dead letter is redriven, it is for those who do not
// have the email. All this is in the text of the error, which is the Failure of the
// notification. If the connection breaks after the email was sent and before the reply,
// the email may arrive twice, with the same Message-ID.
package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/internal/guard"
)

// Security says how the connection to the server is encrypted.
type Security int

const (
	// StartTLS encrypts the connection with STARTTLS, usually on port 587. Sending
	// fails if the server does not offer it.
	StartTLS Security = iota
	// ImplicitTLS uses TLS from the start, usually on port 465.
	ImplicitTLS
	// NoTLS does not encrypt the connection. It allows authentication only if the
	// server is on this machine.
	NoTLS
)

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Security is how the connection is encrypted. Defaults to StartTLS.
	Security Security
	// Username and Password authenticate to the server with SCRAM-SHA-256, PLAIN or
	// LOGIN. If both are empty, there is no authentication. They have no control
	// characters.
	Username string
	Password notify.Secret
	// Text returns the subject and the text. Defaults to [notify.Text].
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier sends emails through one server. It opens a new connection for each
// email. It is safe for concurrent use.
type Notifier struct {
	host     string
	port     int
	options  *Options
	secrets  []notify.Secret
	composer composer
	dialer   *net.Dialer
	tls      *tls.Config
	deadline time.Duration
}

// New returns a notifier that sends emails through a server (host:port). Each
// address in from and to has the form ann@example.com or Ann <ann@example.com>. If
// o is nil, the defaults apply. The error does not quote the arguments, which may
// contain a password.
func New(server, from string, to []string, o *Options) (*Notifier, error) {
	n, err := newNotifier(server, from, to, *cmp.Or(o, &Options{}))
	if err != nil {
		return nil, fmt.Errorf("email: make notifier: %w", err)
	}
	return n, nil
}

func newNotifier(server, from string, to []string, o Options) (*Notifier, error) {
	host, portText, err := net.SplitHostPort(server)
	port, portErr := strconv.ParseUint(portText, 10, 16)
	if err != nil || portErr != nil || host == "" || port == 0 {
		return nil, errors.New("server: is not host:port")
	}
	sender, err := parseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if len(to) == 0 {
		return nil, errors.New("to: missing")
	}
	recipients := make([]*netmail.Address, len(to))
	for i, text := range to {
		if recipients[i], err = parseAddress(text); err != nil {
			return nil, fmt.Errorf("to[%d]: %w", i, err)
		}
	}
	switch {
	case o.Security < StartTLS || o.Security > NoTLS:
		return nil, fmt.Errorf("option Security: %d is not a Security", o.Security)
	case o.Username == "" != o.Password.IsZero():
		return nil, errors.New("options Username and Password: one is missing")
	case strings.ContainsFunc(o.Username, unicode.IsControl):
		return nil, errors.New("option Username: has a control character")
	case strings.ContainsFunc(o.Password.Reveal(), unicode.IsControl):
		return nil, errors.New("option Password: has a control character")
	case o.Username != "" && o.Security == NoTLS && !guard.Loopback(host):
		return nil, errors.New("option Security: a password may not be sent without TLS to another machine")
	}
	transport := guard.Options(o.Transport)
	if err := transport.Validate(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if o.Transport.Proxy != nil {
		return nil, errors.New("transport: option Proxy: is for HTTP only")
	}
	if err := guard.CheckHost(host, transport.AllowedNetworks); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	config := cmp.Or(o.Transport.TLS.Clone(), &tls.Config{MinVersion: tls.VersionTLS12})
	config.ServerName = cmp.Or(config.ServerName, host)
	return &Notifier{
		host: host, port: int(port), options: &o,
		secrets:  []notify.Secret{notify.NewSecret(o.Username), o.Password},
		composer: composer{sender, recipients, o.Text.Or(notify.Text)},
		dialer:   guard.Dialer(o.Transport.AllowedNetworks), tls: config,
		deadline: transport.TimeoutOrDefault(),
	}, nil
}

var errRefusedBefore = errors.New("refused in an earlier attempt")

// Notify sends the notification as an email.
func (e *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	m, err := e.composer.message(n)
	if err != nil {
		return err
	}
	p := resume(n, e.composer.to)
	ctx, cancel := context.WithTimeout(ctx, e.deadline)
	defer cancel()
	err = e.send(ctx, m, p)
	if err == nil && len(p.refused) > 0 {
		err = errRefusedBefore
	}
	if err != nil {
		return e.failed(ctx, err, p)
	}
	return nil
}

// failed returns the error of a delivery. Of a server's text it has the [notify.Reason].
func (e *Notifier) failed(ctx context.Context, err error, p *progress) error {
	failure := guard.Explain(ctx, err,
		"the connection broke, or the server does not offer STARTTLS or a supported authentication method")
	cause, detail := error(failure), failure.Detail()
	permanent := replyCode(err)/100 == 5
	switch refused, ok := errors.AsType[*refusedError](err); {
	case ok:
		public, _ := replyTexts(err, e.secrets)
		cause, detail, permanent = errors.New(public), e.refusals(refused), len(p.left) == 0
	case replyCode(err) != 0:
		var public string
		public, detail = replyTexts(err, e.secrets)
		cause = errors.New(public)
	case errors.Is(err, errRefusedBefore):
		cause, detail, permanent = err, err.Error(), true
	case errors.Is(err, errIterations) && ctx.Err() == nil:
		cause, detail = errIterations, errIterations.Error()
	}
	return &alerting.DeliveryError{
		Permanent: permanent,
		Partial:   p.delivered(),
		Err:       fmt.Errorf(prefix+"%s%w", p, cause),
		Detail:    fmt.Sprintf("send by %s: %s", net.JoinHostPort(e.host, strconv.Itoa(e.port)), detail),
	}
}

// refusals returns who refused a mail and how.
func (e *Notifier) refusals(refused *refusedError) string {
	texts := make([]string, len(refused.replies))
	for i, err := range refused.replies {
		_, reply := replyTexts(err, e.secrets)
		texts[i] = refused.recipients[i].Address + ": " + reply
	}
	return strings.Join(texts, ", ")
}

// send sends a mail to the recipients that are left, within the time of the context.
func (e *Notifier) send(ctx context.Context, m *mail.Msg, p *progress) error {
	conn, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the session is over
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	options := []mail.Option{
		mail.WithPort(e.port),
		mail.WithTimeout(2 * e.deadline), // ctx ends earlier
		mail.WithTLSPolicy(mail.NoTLS), mail.WithTLSConfig(e.tls),
		mail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
	}
	if e.options.Security == StartTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if e.options.Username != "" {
		options = append(options, mail.WithSMTPAuthCustom(&authentication{
			username: e.options.Username, password: e.options.Password.Reveal(), host: e.host,
		}))
	}
	client, err := mail.NewClient(e.host, options...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = transact(session, m, e.composer.from, e.composer.to, p)
	_ = client.CloseWithSMTPClient(session) // how the session ends does not matter
	return err
}

// connect opens a connection. With ImplicitTLS it is encrypted.
func (e *Notifier) connect(ctx context.Context) (net.Conn, error) {
	conn, err := e.dialer.DialContext(ctx, "tcp", net.JoinHostPort(e.host, strconv.Itoa(e.port)))
	if err != nil {
		return nil, err
	}
	conn = &limitedConn{conn, io.LimitReader(conn, maxReplies)}
	if e.options.Security != ImplicitTLS {
		return conn, nil
	}
	encrypted := tls.Client(conn, e.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}
