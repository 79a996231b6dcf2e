// Package guard makes the connections that the library opens by itself, such as
// those to the destinations of notifications.
//
// A [Dialer] refuses addresses inside the application's own network, so that a
// name or URL that somebody else may choose does not lead there. A [Client]
// speaks HTTP through a dialer. It follows no redirects and uses no proxy, limits
// the time and size of a response, sends no credentials over plain http to
// another machine, and keeps what may be secret in a URL, a request or a response
// out of its errors.
package guard

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const defaultTimeout = 10 * time.Second

// The limits of a response, in bytes.
const (
	maxHeader = 64 << 10
	maxBody   = 1 << 20
)

// Options are the settings of a connection. The zero value of a field is its
// default.
type Options struct {
	// AllowedNetworks are the networks that are allowed besides public addresses.
	AllowedNetworks []netip.Prefix
	// TLS defaults to the root certificates of the system.
	TLS *tls.Config
	// Timeout limits an exchange, from looking up the name to the end of the
	// response. Defaults to 10 seconds.
	Timeout time.Duration
}

// Validate returns an error that names the option that is invalid, if there is
// one.
func (o Options) Validate() error {
	for i, p := range o.AllowedNetworks {
		if !p.IsValid() {
			return fmt.Errorf("option AllowedNetworks[%d]: is not a network", i)
		}
	}
	if o.Timeout < 0 {
		return fmt.Errorf("option Timeout: %v is negative", o.Timeout)
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
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: o.TimeoutOrDefault(),
	}, nil
}

// A Response is a response whose body has been read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the response. A redirect is a response like any
// other. An error contains at most the host of the URL and nothing of the
// response.
func (c *Client) Do(req *http.Request) (*Response, error) {
	if req.URL.User != nil || req.Header.Get("Authorization") != "" {
		if err := RequireTLS(req.URL); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	resp, err := c.http.Do(req.WithContext(ctx)) //nolint:gosec // G704: the dialer sees to it
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(nil, resp.Body, maxBody)); err != nil {
		return nil, explain(ctx, err)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: body.Bytes()}, nil
}

// explain returns an error that describes why an exchange failed.
func explain(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("the response is larger than %d bytes: %w", e.Limit, e)
	}
	return cmp.Or(Cause(ctx, err), errors.New("request or response is not valid HTTP"))
}

// Cause returns the part of a connection's error that contains no secret: that
// the context ended, that the address was refused, or that the network or TLS
// failed. It returns nil for all other errors, which may quote the URL, the
// request or the response.
func Cause(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*AddressError](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return fmt.Errorf("no response: %w", ctx.Err())
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the response is cut off: %w", io.ErrUnexpectedEOF)
	}
	return nil
}
