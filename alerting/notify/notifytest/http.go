package notifytest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/internal/check"
)

// confidential is in the responses of the servers here and must not be in errors.
const confidential = "a confidential response"

// The reason of the servers here for refusing a notification: a word that everybody may
// read, and an address that only the operator may.
const (
	reason  = "channel_is_archived"
	address = "10.20.30.40:8080"
	refusal = reason + " at " + address
)

// huge is a long part of a response.
var huge = strings.Repeat(confidential, 100_000)

// patience is the time limit of the deliveries that are to exceed it.
const patience = 100 * time.Millisecond

// HTTP is the harness for a destination that uses HTTP.
type HTTP struct {
	// New returns the destination for the server at url.
	New func(url string, t notify.Transport) (alerting.Notifier, error)
	// Status is the status of a server that accepts a notification. Defaults to 200.
	Status int
	// Secrets must not appear in errors or in the printed destination.
	Secrets []string
}

// Loopback returns a transport that may connect to this machine. If s is not nil,
// the transport trusts its certificate.
func Loopback(s *httptest.Server) notify.Transport {
	t := notify.Transport{AllowedNetworks: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}}
	if s != nil && s.TLS != nil {
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		t.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

// Received is a request that a server received.
type Received struct {
	Path   string // escaped
	Header http.Header
	Body   string
}

// Receive delivers a notification to a test server that accepts it, and returns
// the request that the server received.
func (h HTTP) Receive(t *testing.T, n *alerting.Notification) Received {
	t.Helper()
	got := make(chan Received, 1)
	s := h.serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- receive(r)
		h.accept(w)
	})
	check.NoError(t, "Notify", h.make(t, s.URL, Loopback(s)).Notify(t.Context(), n))
	return <-got
}

func receive(r *http.Request) Received {
	body, _ := io.ReadAll(r.Body) // a test will miss the rest
	return Received{Path: r.URL.EscapedPath(), Header: r.Header, Body: string(body)}
}

func (h HTTP) make(tb testing.TB, url string, transport notify.Transport) alerting.Notifier {
	tb.Helper()
	return check.Must(h.New(url, transport))(tb)
}

func (h HTTP) accept(w http.ResponseWriter) { w.WriteHeader(h.accepted()) }

func (h HTTP) accepted() int { return cmp.Or(h.Status, http.StatusOK) }

func (h HTTP) serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it expects errors of its clients
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// RunHTTP runs the tests that every destination that uses HTTP must pass: the
// result for each status whatever the body is, the destination's reason, redirects,
// timeouts, invalid, huge and truncated responses, unreachable servers, refused
// addresses, and leaks of secrets and addresses.
func RunHTTP(t *testing.T, h HTTP) {
	t.Run("Statuses", h.testStatuses)
	t.Run("Bodies", h.testBodies)
	t.Run("RetryAfter", h.testRetryAfter)
	t.Run("Redirects", h.testRedirects)
	t.Run("TooSlow", h.testTooSlow)
	t.Run("BadServers", h.testBadServers)
	t.Run("RefusedAddress", h.testRefusedAddress)
	t.Run("UntrustedServer", h.testUntrustedServer)
	t.Run("Canceled", h.testCanceled)
	t.Run("PlainHTTP", h.testPlainHTTP)
	t.Run("Printed", h.testPrinted)
}

// deliver delivers a notification that fails, and checks how.
func (h HTTP) deliver(t *testing.T, url string, transport notify.Transport) *alerting.DeliveryError {
	t.Helper()
	err := h.make(t, url, transport).Notify(t.Context(), Notification())
	e := check.ErrorAs[*alerting.DeliveryError](t, "Notify", err)
	for _, secret := range append([]string{confidential}, h.Secrets...) {
		for _, text := range []string{err.Error(), e.Detail, fmt.Sprintf("%+v %#v", err, errors.Unwrap(e))} {
			if strings.Contains(text, secret) {
				t.Errorf("the error shows %q: %s", secret, text)
			}
		}
	}
	_, host, _ := strings.Cut(url, "://")
	name, _, _ := strings.Cut(host, ":")
	if strings.Contains(err.Error(), name) || strings.Contains(err.Error(), address) {
		t.Errorf("the error shows the host or an address: %v", err)
	}
	if !strings.Contains(e.Detail, host) {
		t.Errorf("the detail does not say where: %s", e.Detail)
	}
	return e
}

// echo responds with everything that a server knows of a request.
func echo(w io.Writer, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %s %s", refusal, r.URL, r.Header, body)
}

func (h HTTP) testStatuses(t *testing.T) {
	t.Parallel()
	for permanent, statuses := range map[bool][]int{
		false: {408, 425, 429, 500, 501, 502, 503, 504, 507, 529, 599, 999},
		true:  {300, 304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 415, 418, 421, 422, 423, 426, 451, 499},
	} {
		for _, status := range statuses {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				t.Parallel()
				s := h.serve(t, func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(status)
					if status != http.StatusNotModified {
						echo(w, r)
					}
				})
				e := h.deliver(t, s.URL, Loopback(s))
				if e.Permanent != permanent || e.RetryAfter != 0 {
					t.Errorf("permanent = %v, want %v; retry after %v", e.Permanent, permanent, e.RetryAfter)
				}
				if !strings.Contains(e.Error(), fmt.Sprint("status ", status)) {
					t.Errorf("the error does not say what: %v", e)
				}
				if refused := status != http.StatusNotModified; refused != strings.Contains(e.Error(), reason) || refused != strings.Contains(e.Detail, refusal) {
					t.Errorf("the error does not say why: %v (%s)", e, e.Detail)
				}
			})
		}
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		if r := h.Receive(t, Notification()); r.Body == "" {
			t.Error("the server got nothing")
		}
	})
}

// testBodies: a status says what it says whatever follows.
func (h HTTP) testBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"none":      "\r\n",
		"another":   "Content-Length: 22\r\n\r\n" + refusal,
		"huge":      "\r\n" + strings.Repeat(refusal+" ", 100_000),
		"cut off":   "Content-Length: 5000\r\n\r\n" + refusal,
		"bad chunk": "Transfer-Encoding: chunked\r\n\r\n" + confidential,
		"a page":    "Content-Type: text/html\r\n\r\n<html>" + confidential,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			respond := func(status int) string {
				return hijack(t, func(conn net.Conn) {
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d Status\r\nRetry-After: 7\r\n%s", status, body) // the client may have seen enough
				})
			}
			check.NoError(t, "Notify", h.make(t, respond(h.accepted()), Loopback(nil)).Notify(t.Context(), Notification()))
			if e := h.deliver(t, respond(http.StatusBadRequest), Loopback(nil)); !e.Permanent {
				t.Errorf("not permanent: %v", e)
			}
			for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
				if e := h.deliver(t, respond(status), Loopback(nil)); e.Permanent || e.RetryAfter != 7*time.Second {
					t.Errorf("permanent = %v, retry after %v: %v", e.Permanent, e.RetryAfter, e)
				}
			}
		})
	}
}

func (h HTTP) testRetryAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"7":                             7 * time.Second,
		"0":                             0,
		"-5":                            0,
		"soon":                          0,
		"86400":                         time.Hour,
		"99999999999999999999":          time.Hour,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"Mon, 01 Mar 2027 12:00:00 GMT": time.Hour,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := h.serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
				w.Header().Set("Retry-After", text)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			if e := h.deliver(t, s.URL, Loopback(s)); e.RetryAfter != want || e.Permanent {
				t.Errorf("retry after %v, want %v; permanent = %v", e.RetryAfter, want, e.Permanent)
			}
		})
	}
}

func (h HTTP) testRedirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s := h.serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("the redirect was followed")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			})
			if e := h.deliver(t, s.URL, Loopback(s)); !e.Permanent {
				t.Errorf("not permanent: %v", e)
			}
		})
	}
}

func (h HTTP) testTooSlow(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"response": "", "header": "HTTP/1.1 200 OK\r\nX-Slow: " + confidential} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := hijack(t, func(conn net.Conn) {
				_, _ = io.WriteString(conn, begin)
				_, _ = io.Copy(io.Discard, conn) // until the client has gone
			})
			transport := Loopback(nil)
			transport.Timeout = patience
			e := h.deliver(t, url, transport)
			if !errors.Is(e, context.DeadlineExceeded) || e.Permanent {
				t.Errorf("Notify = %v, permanent = %v", e, e.Permanent)
			}
		})
	}
}

func (h HTTP) testBadServers(t *testing.T) {
	t.Parallel()
	unused := httptest.NewServer(nil)
	unused.Close()
	urls := map[string]string{
		"refused": unused.URL,
		"unknown": "https://auditwarden.invalid",
		"reset": hijack(t, func(conn net.Conn) {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		}),
	}
	for name, response := range map[string]string{
		"nothing":          "",
		"not HTTP":         confidential + "\r\n\r\n",
		"another protocol": "220 mail.example " + confidential + "\r\n",
		"bad status":       "HTTP/1.1 2xx " + confidential + "\r\n\r\n",
		"bad header":       "HTTP/1.1 200 OK\r\n" + confidential + "\r\n\r\n",
		"bad length":       "HTTP/1.1 200 OK\r\nContent-Length: -" + confidential + "\r\n\r\n",
		"cut header":       "HTTP/1.1 200 OK\r\nContent-Length: 5",
		"huge header":      "HTTP/1.1 200 OK\r\nX-Huge: " + huge + "\r\n\r\n",
	} {
		urls[name] = hijack(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, response) // the client may have seen enough
		})
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e := h.deliver(t, url, Loopback(nil)); e.Permanent {
				t.Errorf("permanent: %v", e)
			}
		})
	}
}

// hijack returns the URL of a server that responds to each request with what handle
// does to the connection. Then it ends the connection.
func hijack(t *testing.T, handle func(conn net.Conn)) string {
	t.Helper()
	s := httptest.NewServer(hijacked(t, handle))
	t.Cleanup(s.Close)
	return s.URL
}

func hijacked(tb testing.TB, handle func(conn net.Conn)) http.HandlerFunc {
	tb.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			tb.Errorf("Hijack: %v", err)
			return
		}
		handle(conn)
		_ = conn.Close()
	}
}

// testRefusedAddress: what is known of a URL is said at once.
func (h HTTP) testRefusedAddress(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "168.63.129.16", "10.0.0.1"} {
		_, err := h.New("https://"+host+":8443", notify.Transport{})
		check.ErrorText(t, "new for "+host, err, "URL: address ", "is neither public nor in an allowed network")
		for _, secret := range h.Secrets {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows %q: %v", secret, err)
			}
		}
	}
}

func (h HTTP) testUntrustedServer(t *testing.T) {
	t.Parallel()
	s := h.serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	transport := Loopback(s)
	transport.TLS = nil
	if e := h.deliver(t, s.URL, transport); e.Permanent || !strings.Contains(e.Error(), "certificate") {
		t.Errorf("Notify = %v, permanent = %v", e, e.Permanent)
	}
}

func (h HTTP) testCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := h.serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	if err := h.make(t, s.URL, Loopback(s)).Notify(ctx, Notification()); !errors.Is(err, context.Canceled) {
		t.Errorf("Notify = %v", err)
	}
}

// testPlainHTTP uses a server on this machine, to which plain http is allowed.
func (h HTTP) testPlainHTTP(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { h.accept(w) }))
	t.Cleanup(s.Close)
	check.NoError(t, "Notify", h.make(t, s.URL, Loopback(s)).Notify(t.Context(), Notification()))
}

func (h HTTP) testPrinted(t *testing.T) {
	t.Parallel()
	n := h.make(t, "https://example.com", notify.Transport{})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		text := fmt.Sprintf(format, n)
		for _, secret := range h.Secrets {
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s shows %q: %s", format, secret, text)
			}
		}
	}
}
