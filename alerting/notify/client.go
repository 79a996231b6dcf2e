package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/guard"
)

// Transport configures the connections to a destination. A field with its zero
// value has the documented default.
type Transport struct {
	// AllowedNetworks are networks that connections are allowed to in addition to the
	// public internet. By default, connections to private, link-local, loopback and
	// other special addresses are refused, whatever name resolves to them.
	AllowedNetworks []netip.Prefix
	// TLS defaults to the system's root certificates and TLS 1.2 or later.
	TLS *tls.Config
	// Timeout limits a delivery, from the DNS lookup to the response. Defaults to 10 s.
	Timeout time.Duration
	// Proxy is the URL of an HTTP proxy, http or https, that requests go through, except
	// those to this machine. An https destination is asked through a tunnel, so that the
	// proxy reads no request. A user in the URL requires https. By default there is no
	// proxy, whatever the environment says.
	//
	// The address of the proxy must be public or in AllowedNetworks. An address in the
	// URL of a destination must be, too. But it is the proxy that looks names up and
	// connects, and no address that a name leads to is seen here: the proxy must refuse
	// those that are private.
	Proxy *url.URL
}

// maxRetryAfter is the longest pause that a destination can ask for.
const maxRetryAfter = time.Hour

// A Client posts requests to one HTTP endpoint. It does not follow redirects, uses no
// proxy unless [Transport] names it, reads only the beginning of a response and opens a
// new connection for each request. It is safe for concurrent use.
type Client struct {
	endpoint *url.URL
	guarded  *guard.Client
}

// NewClient returns a client for the URL of an endpoint. It refuses the URL of an
// address that [Transport] does not allow. The error quotes nothing else of the URL,
// which may contain a token.
func NewClient(endpoint string, t Transport) (*Client, error) {
	u, err := guard.ParseURL(endpoint)
	if err != nil {
		return nil, fmt.Errorf("URL: %w", err)
	}
	c := &Client{endpoint: u}
	if u.User != nil {
		if err := c.RequireTLS(); err != nil {
			return nil, err
		}
	}
	if c.guarded, err = guard.NewClient(guard.Options(t)); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if err := guard.CheckHost(u.Hostname(), t.AllowedNetworks); err != nil {
		return nil, fmt.Errorf("URL: %w", err)
	}
	return c, nil
}

// RequireTLS returns an error unless the endpoint uses https or is on this
// machine. The constructor of a destination that sends a secret should call it.
func (c *Client) RequireTLS() error {
	if err := guard.RequireTLS(c.endpoint); err != nil {
		return fmt.Errorf("URL: %w", err)
	}
	return nil
}

// A Request is a request that a [Client] posts.
type Request struct {
	// Path contains elements that are appended to the path of the endpoint. The
	// client escapes them.
	Path   []string
	Header http.Header
	Body   []byte
	// Secrets are those in the body, if there are any, so that no error quotes them from
	// a response. Those in the endpoint's path, query and user, and in the header
	// Authorization, are known.
	Secrets []Secret
	// Status is the status of a response that accepts the request. Defaults to all
	// 2xx.
	Status int
}

// JSON returns a request whose body is v in JSON. If v cannot be encoded, the
// error is a permanent [alerting.DeliveryError].
func JSON(v any) (Request, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Request{}, &alerting.DeliveryError{Permanent: true, Err: fmt.Errorf("notify: encode request: %w", err)}
	}
	return Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, nil
}

// Post sends a request. It returns nil if the status of the response is the
// request's Status, whatever follows it.
//
// Every error is an [*alerting.DeliveryError]. Its text has the status and the
// destination's [Reason], or the kind of the failure. Its Detail also has the endpoint's
// scheme and host, and the reason for the operator. Neither has a part of the endpoint's
// path, of a secret or of anything else in the response. The error is permanent for
// status 3xx, for 4xx except 408, 425 and 429, and if a header of the request is not
// valid. For all other statuses and for connection failures it is temporary. After 408,
// 425, 429 and 5xx its RetryAfter is the Retry-After header of the response, at most one
// hour.
func (c *Client) Post(ctx context.Context, r Request) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at(r.Path), bytes.NewReader(r.Body))
	if err != nil {
		return c.failed(errors.New("the URL cannot be used")) // err quotes it
	}
	for name, values := range r.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsFunc(v, unicode.IsControl) }) {
			e := c.failed(fmt.Errorf("header %s: has a control character", name))
			e.Permanent = true
			return e
		}
	}
	maps.Copy(req.Header, r.Header)
	req.Header.Set("User-Agent", "auditwarden")
	resp, err := c.guarded.Do(req)
	if err != nil {
		return c.failed(err)
	}
	if resp.Status == r.Status || r.Status == 0 && resp.Status/100 == 2 {
		return nil
	}
	_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	e := c.refused(resp, slices.Concat(r.Secrets, c.secrets(), []Secret{NewSecret(credentials)}))
	switch {
	case resp.Status == http.StatusRequestTimeout, resp.Status == http.StatusTooEarly,
		resp.Status == http.StatusTooManyRequests, resp.Status/100 == 5:
		e.RetryAfter = retryAfter(resp.Header)
	case resp.Status/100 == 3, resp.Status/100 == 4:
		e.Permanent = true
	}
	return e
}

// failed returns a temporary error.
func (c *Client) failed(err error) *alerting.DeliveryError {
	detail := err.Error()
	if failure, ok := errors.AsType[*guard.ExchangeError](err); ok {
		detail = failure.Detail()
	}
	return &alerting.DeliveryError{
		Err:    fmt.Errorf("notify: post: %w", err),
		Detail: fmt.Sprintf("post to %s: %s", guard.Origin(c.endpoint), detail),
	}
}

// refused returns a temporary error with the reason of a response.
func (c *Client) refused(resp *guard.Response, secrets []Secret) *alerting.DeliveryError {
	status := strings.TrimSpace(fmt.Sprintf("status %d %s", resp.Status, http.StatusText(resp.Status)))
	e := c.failed(errors.New(status))
	public, detail := Reason(string(resp.Body), secrets...)
	if public != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, public)
	}
	if detail != "" {
		e.Detail += ": " + detail
	}
	return e
}

// secrets returns what in the endpoint may be secret.
func (c *Client) secrets() []Secret {
	query, _ := url.QueryUnescape(c.endpoint.RawQuery) // what is not valid is sent as it is
	secrets := []Secret{NewSecret(c.endpoint.EscapedPath()), NewSecret(c.endpoint.Path), NewSecret(c.endpoint.RawQuery), NewSecret(query)}
	if user := c.endpoint.User; user != nil {
		password, _ := user.Password()
		encoded := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		secrets = append(secrets, NewSecret(user.String()), NewSecret(user.Username()), NewSecret(password), NewSecret(encoded))
	}
	return secrets
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

// retryAfter returns the pause that a server asks for (RFC 9110, 10.2.3): a number
// of seconds, or a date, which is compared with the date of the response.
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
