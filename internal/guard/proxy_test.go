package guard_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/guard"
)

// tunnel is a proxy that leads every tunnel to one server, or refuses it with a status.
func tunnel(t *testing.T, server string, status int) (proxy *url.URL, asked func() []string) {
	t.Helper()
	var (
		mu    sync.Mutex
		names []string
	)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		names = append(names, r.Method+" "+r.Host)
		mu.Unlock()
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		w.WriteHeader(status)
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer client.Close()
		conn, err := net.Dial("tcp", server)
		if err != nil {
			t.Errorf("Dial: %v", err)
			return
		}
		defer conn.Close()
		go io.Copy(conn, client)
		io.Copy(client, conn)
	}))
	t.Cleanup(s.Close)
	return check.Must(url.Parse(s.URL))(t), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return names
	}
}

func post(t *testing.T, c *guard.Client, url string) (*guard.Response, error) {
	t.Helper()
	return c.Do(check.Must(http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("s3cret")))(t))
}

// TestProxy: a tunnel leads to a server by its name, and TLS is that of the server.
func TestProxy(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	proxy, asked := tunnel(t, server.Listener.Addr().String(), http.StatusOK)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback, Proxy: proxy, TLS: config}))(t)
	resp, err := post(t, c, "https://example.com/x")
	if err != nil || resp.Status != http.StatusTeapot {
		t.Errorf("Do = %+v, %v", resp, err)
	}
	_, err = post(t, c, "https://other.invalid/x") // for which the server has no certificate
	check.ErrorText(t, "another name", err, "the certificate is not trusted")
	if got := strings.Join(asked(), ", "); got != "CONNECT example.com:443, CONNECT other.invalid:443" {
		t.Errorf("the proxy was asked %s", got)
	}
	_, err = post(t, c, server.URL) // this machine
	check.NoError(t, "without a proxy", err)
	check.Equal(t, "requests to the proxy", len(asked()), 2)
}

// TestProxyRefuses: the error says so, and it shows no address.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	proxy, _ := tunnel(t, "", http.StatusProxyAuthRequired)
	c := check.Must(guard.NewClient(guard.Options{AllowedNetworks: loopback, Proxy: proxy}))(t)
	_, err := post(t, c, "https://example.com/x")
	check.ErrorText(t, "Do", err, "the proxy refused: status 407")
}

// TestProxyAddress: a proxy is a server like any other.
func TestProxyAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http://10.1.2.3:3128":       "is neither public nor in an allowed network",
		"http://localhost:3128":      "is neither public nor in an allowed network",
		"socks5://proxy.example.com": "does not begin with https:// or http://",
		"":                           "missing",
		"http://ann:s3cret@proxy.example.com:312": "a secret may not be sent over plain http",
	} {
		_, err := guard.NewClient(guard.Options{Proxy: check.Must(url.Parse(text))(t)})
		check.ErrorText(t, text, err, "option Proxy: ", want)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	_, err := guard.NewClient(guard.Options{Proxy: check.Must(url.Parse("https://ann:s3cret@proxy.example.com"))(t)})
	check.NoError(t, "a user over https", err)
}
