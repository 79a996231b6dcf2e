package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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
		if resp, err := c.Do(req); (err == nil) != test.ok || test.ok && len(resp.Body) != test.body {
			t.Errorf("Do with a header of %d bytes and a body of %d bytes = %v", test.header, test.body, err)
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
