package guard

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
)

// A tunnelError says that a proxy does not connect to a server.
type tunnelError struct{ status int }

func (e *tunnelError) Error() string { return fmt.Sprintf("the proxy refused: status %d", e.status) }

// checkProxy returns an error unless a URL is that of an HTTP proxy which may be
// connected to.
func checkProxy(proxy *url.URL, allowed []netip.Prefix) error {
	u, err := ParseURL(proxy.String())
	if err == nil && u.User != nil {
		err = RequireTLS(u)
	}
	if err == nil {
		err = CheckHost(u.Hostname(), allowed)
	}
	return err
}

// through returns the function that chooses a proxy: there is none for this machine.
func through(proxy *url.URL) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return nil
	}
	u := *proxy
	return func(r *http.Request) (*url.URL, error) {
		if Loopback(r.URL.Hostname()) {
			return nil, nil //nolint:nilnil // no proxy
		}
		return &u, nil
	}
}

// checkTunnel returns an error if a proxy does not connect to a server.
func checkTunnel(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
	if r.StatusCode != http.StatusOK {
		return &tunnelError{r.StatusCode}
	}
	return nil
}
