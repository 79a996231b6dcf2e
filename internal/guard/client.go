// Package guard makes the connections that the library opens by itself, such as
// those to the destinations of notifications.
//
// A [Dialer] refuses addresses inside the application's own network, so that a
// name or URL that somebody else may choose does not lead there. A [Client]
// speaks HTTP through a dialer. It follows no redirects, uses no proxy unless it is told
// to, limits the time of an exchange and the size of a response, sends no credentials over
// plain http to another machine, and keeps what may be secret in a URL, a request
// or a response out of its errors.
package guard

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const defaultTimeout = 10 * time.Second

// The longest header of a response, and how much is read of the body of one, in bytes.
const (
	maxHeader = 64 << 10
	maxBody   = 4 << 10
)

// Options are the settings of a connection. The zero value of a field is its
// default.
type Options struct {
	// AllowedNetworks are the networks that are allowed besides public addresses.
	AllowedNetworks []netip.Prefix
	// TLS defaults to the root certificates of the system.
	TLS *tls.Config
	// Timeout limits an exchange, from looking up the name to the response. Defaults
	// to 10 seconds.
	Timeout time.Duration
	// Proxy is an HTTP proxy, whose address is checked like all others. It then looks
	// the names of servers up, and the addresses are not checked. Defaults to none.
	Proxy *url.URL
}

// Validate returns an error that names the option that is invalid, if there is
// one.
func (o Options) Validate() error {
	for i, p := range o.AllowedNetworks {
		if !p.IsValid() || p.Addr().Is4In6() && p.Bits() < mappedBits {
			return fmt.Errorf("option AllowedNetworks[%d]: is not a network", i)
		}
	}
	if o.Timeout < 0 {
		return fmt.Errorf("option Timeout: %v is negative", o.Timeout)
	}
	if o.Proxy == nil {
		return nil
	}
	if err := checkProxy(o.Proxy, o.AllowedNetworks); err != nil {
		return fmt.Errorf("option Proxy: %w", err)
	}
	return nil
}

// TimeoutOrDefault returns Timeout, or its default.
func (o Options) TimeoutOrDefault() time.Duration {
	return cmp.Or(o.Timeout, defaultTimeout)
}

// A Client speaks HTTP to servers that are not trusted. It opens a connection for
// each request and is safe for concurrent use.
type Client struct {
	http    *http.Client
	timeout time.Duration
}

// NewClient returns a client. The error names the option that is invalid.
func NewClient(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Client{
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:            Dialer(o.AllowedNetworks).DialContext,
				TLSClientConfig:        o.TLS.Clone(),
				DisableKeepAlives:      true,
				DisableCompression:     true,
				MaxResponseHeaderBytes: maxHeader,
				Proxy:                  through(o.Proxy),
				OnProxyConnectResponse: checkTunnel,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: o.TimeoutOrDefault(),
	}, nil
}

// A Response is the beginning of a response.
type Response struct {
	Status int
	Header http.Header
	// Body is what could be read of the first 4 KiB of the body. Whoever is not trusted
	// may have written it. It is empty if the status is 2xx.
	Body []byte
}

// Do sends a request and reads the beginning of the response. A redirect is a response
// like any other. Every error is an [ExchangeError]; there is none if the body breaks
// off or takes too long.
func (c *Client) Do(req *http.Request) (*Response, error) {
	if req.URL.User != nil || req.Header.Get("Authorization") != "" {
		if err := RequireTLS(req.URL); err != nil {
			return nil, &ExchangeError{err.Error(), nil}
		}
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	resp, err := c.http.Do(req.WithContext(ctx)) //nolint:gosec // G704: the dialer sees to it
	if err != nil {
		return nil, Explain(ctx, err, "request or response is not valid HTTP")
	}
	defer resp.Body.Close() //nolint:errcheck // with the connection
	r := &Response{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode/100 != 2 {
		r.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxBody)) // the status says enough
	}
	return r, nil
}
