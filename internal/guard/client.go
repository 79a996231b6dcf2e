// Package guard makes the connections that the library opens by itself: to the
// destinations of notifications and to other services that a host names.
//
// A [Dialer] refuses addresses inside the host's network, so that a name or URL
// which somebody else may choose does not lead there. A [Client] speaks HTTP over
// it: without redirects and proxies, within limits of time and size, no secret
// over plain http to another machine, and nothing in an error that a URL, a
// request or an answer may hold in confidence.
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

// DefaultTimeout is the time limit of an exchange for which none is set.
const DefaultTimeout = 10 * time.Second

// Limits of an answer, in bytes.
const (
	maxHeader = 64 << 10
	maxBody   = 1 << 20
)

// Options are the settings of a connection. The zero value of each is its
// default.
type Options struct {
	// AllowedNetworks may be connected to besides public addresses.
	AllowedNetworks []netip.Prefix
	// TLS defaults to the roots of the system.
	TLS *tls.Config
	// Timeout limits an exchange from its beginning to the end of the answer.
	// Defaults to [DefaultTimeout].
	Timeout time.Duration
}

// Validate returns an error that names the option which cannot be used.
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

// TimeoutOrDefault returns the time limit.
func (o Options) TimeoutOrDefault() time.Duration {
	if o.Timeout == 0 {
		return DefaultTimeout
	}
	return o.Timeout
}

// A Client speaks HTTP to servers that it does not trust. It opens a connection
// for each request, and is safe for concurrent use.
type Client struct {
	http    *http.Client
	timeout time.Duration
}

// NewClient returns a client. The error names the option that cannot be used.
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

// An Answer is the whole response to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the answer, a redirect as any other. Its errors
// hold nothing of the URL but the host, and nothing of the answer.
func (c *Client) Do(req *http.Request) (*Answer, error) {
	if req.URL.User != nil || req.Header.Get("Authorization") != "" {
		if err := Confidential(req.URL); err != nil {
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
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body.Bytes()}, nil
}

// explain returns the error of an exchange.
func explain(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("the answer is larger than %d bytes: %w", e.Limit, e)
	}
	return cmp.Or(Cause(ctx, err), errors.New("request or answer is not valid HTTP"))
}

// Cause returns what can be told of an error of a connection: that the context
// has ended, that the address was refused, that the network or TLS failed. Others
// may quote the URL, the request or the answer; of them it returns nil.
func Cause(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*AddressError](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the answer is cut off: %w", io.ErrUnexpectedEOF)
	}
	return nil
}
