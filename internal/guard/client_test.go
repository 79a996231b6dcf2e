package guard_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/guard"
)

// How a client fails is tested by notifytest.RunHTTP, with every destination.

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestResponse(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("a compressed response is accepted")
		}
		if !r.Close {
			t.Error("the connection stays")
		}
		w.Header().Set("X-Key", "value")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "short and stout")
	}))
	t.Cleanup(s.Close)
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
	req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody))(t)
	a, err := c.Do(req)
	if err != nil || a.Status != http.StatusTeapot || a.Header.Get("X-Key") != "value" {
		t.Errorf("Do = %+v, %v", a, err)
	}
}

func TestDefaultTimeout(t *testing.T) {
	t.Parallel()
	check.Equal(t, "default", guard.Options{}.TimeoutOrDefault(), 10*time.Second)
	check.Equal(t, "own", guard.Options{Timeout: 1}.TimeoutOrDefault(), 1)
}

func TestHeaderSize(t *testing.T) {
	t.Parallel()
	const maxHeader = 64 << 10
	for size, ok := range map[int]bool{maxHeader - 1<<10: true, maxHeader + 1<<10: false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", size))
		}))
		t.Cleanup(s.Close)
		c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
		req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody))(t)
		if _, err := c.Do(req); (err == nil) != ok {
			t.Errorf("Do with a header of %d bytes = %v", size, err)
		}
	}
}

// TestBodyIsNotRead: however long, slow or broken it is, the status stands.
func TestBodyIsNotRead(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]string{
		"huge":      "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2<<20),
		"cut off":   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
	} {
		c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
		req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, raw(t, response), http.NoBody))(t)
		resp, err := c.Do(req)
		if err != nil || resp.Status != http.StatusOK {
			t.Errorf("Do with a body that is %s = %+v, %v", name, resp, err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // when the client has gone
	}))
	t.Cleanup(s.Close)
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback, Timeout: time.Hour}))(t)
	req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody))(t)
	_, err := c.Do(req)
	check.NoError(t, "a body that never ends", err)
}

// raw is a server that sends a text and closes the connection.
func raw(t *testing.T, text string) string {
	t.Helper()
	l := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		http.ReadRequest(bufio.NewReader(conn))
		fmt.Fprint(conn, text)
		conn.Close()
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// TestErrors: an error says in general words what happened, and wraps what to act
// on.
func TestErrors(t *testing.T) {
	t.Parallel()
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	closed := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	closed.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
	do := func(ctx context.Context, url string) error {
		_, err := c.Do(check.Must(http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody))(t))
		return err
	}
	for _, test := range []struct {
		name         string
		err          error
		text, detail string
	}{
		{"closed", do(t.Context(), raw(t, "")), "the response is cut off", "unexpected EOF"},
		{"garbage", do(t.Context(), raw(t, "garbage\r\n\r\n")), "request or response is not valid HTTP", ""},
		{"no TLS", do(t.Context(), "https"+strings.TrimPrefix(raw(t, "garbage\r\n\r\n"), "http")), "the server does not speak TLS", "handshake"},
		{"canceled", do(canceled, raw(t, "")), "canceled", "context canceled"},
		{"expired", do(expired, raw(t, "")), "timed out", "deadline exceeded"},
		{"refused", do(t.Context(), "http://"+closed.Addr().String()), "connection refused", "dial tcp " + closed.Addr().String()},
		{"certificate", do(t.Context(), encrypted.URL), "the certificate is not trusted", "tls: failed to verify certificate"},
		{"address", do(t.Context(), "http://192.0.2.1"), "the address is neither public nor in an allowed network", "192.0.2.1"},
		{"name", do(t.Context(), "http://auditwarden.invalid"), "", "auditwarden.invalid"},
	} {
		failure := check.ErrorAs[*guard.ExchangeError](t, test.name, test.err)
		check.ErrorText(t, test.name, test.err, test.text)
		if strings.ContainsAny(test.err.Error(), ":0123456789") || strings.Contains(test.err.Error(), "invalid.") {
			t.Errorf("%s: the error shows where: %v", test.name, test.err)
		}
		if !strings.Contains(failure.Detail(), test.detail) {
			t.Errorf("%s: detail %q lacks %q", test.name, failure.Detail(), test.detail)
		}
		switch test.name {
		case "closed":
			check.ErrorIs(t, test.name, test.err, io.ErrUnexpectedEOF)
		case "canceled":
			check.ErrorIs(t, test.name, test.err, context.Canceled)
		case "expired":
			check.ErrorIs(t, test.name, test.err, context.DeadlineExceeded)
		case "refused":
			check.ErrorAs[*net.OpError](t, test.name, test.err)
		case "certificate":
			check.ErrorAs[*tls.CertificateVerificationError](t, test.name, test.err)
		case "address":
			check.ErrorAs[*guard.AddressError](t, test.name, test.err)
		case "name":
			check.ErrorAs[*net.DNSError](t, test.name, test.err)
		}
	}
}

// TestNoProxy: a proxy would be asked for the address instead.
func TestNoProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
	req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://10.0.0.1/", http.NoBody))(t)
	if a, err := c.Do(req); err == nil {
		t.Errorf("Do = %+v", a)
	}
}

func TestCredentialsOverPlainHTTP(t *testing.T) {
	t.Parallel()
	c := check.Must(guard.NewClient(guard.Options{}))(t)
	for _, url := range []string{"http://ann:s3cret@example.com", "http://example.com"} {
		req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody))(t)
		if req.URL.User == nil {
			req.Header.Set("Authorization", "Bearer s3cret")
		}
		if _, err := c.Do(req); err == nil || !strings.Contains(err.Error(), "plain http") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Do to %s = %v", url, err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]guard.Options{
		"AllowedNetworks[1]": {AllowedNetworks: append(loopback[:1:1], netip.Prefix{})},
		"AllowedNetworks[0]": {AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/95")}},
		"Timeout":            {Timeout: -1},
	} {
		if _, err := guard.NewClient(o); err == nil || !strings.HasPrefix(err.Error(), "option "+want) {
			t.Errorf("NewClient = %v, want an error about %s", err, want)
		}
	}
}
