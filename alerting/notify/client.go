package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/guard"
)

// Transport says how a destination is reached. The zero value of each field is
// its default.
type Transport struct {
	// AllowedNetworks are those that a destination may be in besides the public
	// internet. By default an address that is private, link-local, of the
	// machine itself or otherwise special is refused, whatever name leads to it.
	AllowedNetworks []netip.Prefix
	// TLS defaults to the roots of the system and TLS 1.2 or later.
	TLS *tls.Config
	// Timeout limits a delivery, from looking up the name to the end of the
	// answer. Defaults to 10 seconds.
	Timeout time.Duration
}

// maxRetryAfter is the longest wait that a destination is granted.
const maxRetryAfter = time.Hour

// A Client posts to one HTTP endpoint. It follows no redirect and uses no proxy,
// reads at most 1 MiB of an answer and opens a connection for each request. It
// is safe for concurrent use.
type Client struct {
	endpoint *url.URL
	guarded  *guard.Client
}

// NewClient returns a client. The error does not quote the endpoint, which may
// hold a token.
func NewClient(endpoint string, t Transport) (*Client, error) {
	u, err := guard.ParseURL(endpoint)
	if err != nil {
		return nil, fmt.Errorf("URL: %w", err)
	}
	c := &Client{endpoint: u}
	if u.User != nil {
		if err := c.Confidential(); err != nil {
			return nil, err
		}
	}
	if c.guarded, err = guard.NewClient(guard.Options(t)); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	return c, nil
}

// Confidential returns an error if what is posted can be read on the way: over
// plain http to another machine. A destination that sends a secret asks for it
// when it is made.
func (c *Client) Confidential() error {
	if err := guard.Confidential(c.endpoint); err != nil {
		return fmt.Errorf("URL: %w", err)
	}
	return nil
}

// A Request is what a [Client] posts.
type Request struct {
	// Path is added to that of the endpoint, each element escaped.
	Path   []string
	Header http.Header
	Body   []byte
}

// JSON returns a request with v as its body. The error is an
// [alerting.DeliveryError], for good: v cannot be encoded.
func JSON(v any) (Request, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Request{}, &alerting.DeliveryError{Permanent: true, Err: fmt.Errorf("notify: encode request: %w", err)}
	}
	return Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, nil
}

// Post sends a request and returns the body of the answer if its status is 2xx.
//
// Any error is an [alerting.DeliveryError] that names the endpoint's scheme and
// host and says nothing of its path, the request or the answer. It is permanent
// for a redirect and for statuses 4xx without 408, 425 and 429; those, statuses
// 5xx and an exchange that failed are to be tried again. Retry-After is
// heeded, up to an hour.
func (c *Client) Post(ctx context.Context, r Request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at(r.Path), bytes.NewReader(r.Body))
	if err != nil {
		return nil, c.failed(errors.New("the URL cannot be used")) // err quotes it
	}
	maps.Copy(req.Header, r.Header)
	req.Header.Set("User-Agent", "auditwarden")
	answer, err := c.guarded.Do(req)
	if err != nil {
		return nil, c.failed(err)
	}
	if answer.Status/100 == 2 {
		return answer.Body, nil
	}
	e := c.failed(fmt.Errorf("status %d %s", answer.Status, http.StatusText(answer.Status)))
	switch {
	case answer.Status == http.StatusRequestTimeout, answer.Status == http.StatusTooEarly,
		answer.Status == http.StatusTooManyRequests, answer.Status/100 == 5:
		e.RetryAfter = retryAfter(answer.Header)
	case answer.Status/100 == 3, answer.Status/100 == 4:
		e.Permanent = true
	}
	return nil, e
}

// Unexpected returns the error for an answer that is not what the destination's
// protocol prescribes. It is to be tried again.
func (c *Client) Unexpected() error {
	return c.failed(errors.New("the answer is not that of the protocol"))
}

func (c *Client) failed(err error) *alerting.DeliveryError {
	return &alerting.DeliveryError{Err: fmt.Errorf("notify: post to %s: %w", guard.Origin(c.endpoint), err)}
}

// at returns the endpoint's URL with elements added to its path.
func (c *Client) at(elements []string) string {
	if len(elements) == 0 {
		return c.endpoint.String()
	}
	u := *c.endpoint
	for _, element := range elements {
		escaped := url.PathEscape(element)
		if element == "." || element == ".." { // servers resolve them
			escaped = strings.ReplaceAll(element, ".", "%2E")
		}
		u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + "/" + escaped
		u.Path = strings.TrimSuffix(u.Path, "/") + "/" + element
	}
	return u.String()
}

// retryAfter returns how long a server wants to be left alone (RFC 9110,
// 10.2.3): a number of seconds, or a date, which is compared to the server's own.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}
