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
	if err != nil || a.Status != http.StatusTeapot || a.Header.Get("X-Key") != "value" || string(a.Body) != "short and stout" {
		t.Errorf("Do = %+v, %v", a, err)
	}
}

func TestDefaultTimeout(t *testing.T) {
	t.Parallel()
	check.Equal(t, "default", guard.Options{}.TimeoutOrDefault(), 10*time.Second)
	check.Equal(t, "own", guard.Options{Timeout: 1}.TimeoutOrDefault(), 1)
}

func TestResponseSize(t *testing.T) {
	t.Parallel()
	const maxHeader, maxBody = 64 << 10, 1 << 20
	for _, test := range []struct {
		header, body int
		ok           bool
	}{
		{0, maxBody, true},
		{0, maxBody + 1, false},
		{maxHeader - 1<<10, 0, true},
		{maxHeader + 1<<10, 0, false},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", test.header))
			fmt.Fprint(w, strings.Repeat("x", test.body))
		}))
		t.Cleanup(s.Close)
		c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
		req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody))(t)
		resp, err := c.Do(req)
		if test.body > maxBody {
			check.ErrorText(t, "large body", err, "the response is larger than 1048576 bytes")
			check.ErrorAs[*http.MaxBytesError](t, "large body", err)
		}
		if (err == nil) != test.ok || test.ok && len(resp.Body) != test.body {
			t.Errorf("Do with a header of %d bytes and a body of %d bytes = %v", test.header, test.body, err)
		}
	}
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

// TestErrors checks what an error says, and that it is of a type to act on.
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
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback}))(t)
	do := func(ctx context.Context, url string) error {
		_, err := c.Do(check.Must(http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody))(t))
		return err
	}
	for _, test := range []struct {
		name string
		err  error
		text string
	}{
		{"closed", do(t.Context(), raw(t, "")), "the response is cut off: unexpected EOF"},
		{"short body", do(t.Context(), raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")), "the response is cut off: unexpected EOF"},
		{"garbage", do(t.Context(), raw(t, "garbage\r\n\r\n")), "request or response is not valid HTTP"},
		{"canceled", do(canceled, raw(t, "")), "no response: context canceled"},
		{"refused", do(t.Context(), "http://"+closed.Addr().String()), "dial tcp " + closed.Addr().String()},
		{"certificate", do(t.Context(), encrypted.URL), "tls: failed to verify certificate"},
		{"address", do(t.Context(), "http://192.0.2.1"), "address 192.0.2.1 is neither public nor in an allowed network"},
	} {
		check.ErrorText(t, test.name, test.err, test.text)
		switch test.name {
		case "closed", "short body":
			check.ErrorIs(t, test.name, test.err, io.ErrUnexpectedEOF)
		case "canceled":
			check.ErrorIs(t, test.name, test.err, context.Canceled)
		case "refused":
			check.ErrorAs[*net.OpError](t, test.name, test.err)
		case "certificate":
			check.ErrorAs[*tls.CertificateVerificationError](t, test.name, test.err)
		case "address":
			check.ErrorAs[*guard.AddressError](t, test.name, test.err)
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
		"Timeout":            {Timeout: -1},
	} {
		if _, err := guard.NewClient(o); err == nil || !strings.HasPrefix(err.Error(), "option "+want) {
			t.Errorf("NewClient = %v, want an error about %s", err, want)
		}
	}
}
