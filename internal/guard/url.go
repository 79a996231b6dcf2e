package guard

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// ParseURL parses the URL of an HTTP server. Its error does not quote the text,
// which may contain a token.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("missing")
	case err != nil, strings.ContainsFunc(text, unicode.IsSpace):
		return nil, errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("has a port that does not exist")
		}
	}
	return u, nil
}

// Origin returns the part of a URL that is not secret: scheme, host and port.
func Origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// RequireTLS returns an error if the URL is neither https nor on this machine, so
// that a secret could be read on its way there.
func RequireTLS(u *url.URL) error {
	if u.Scheme == "https" || Loopback(u.Hostname()) {
		return nil
	}
	return errors.New("a secret may not be sent over plain http to another machine")
}

// Loopback reports whether a host is this machine: localhost (RFC 6761, 6.3) or a
// loopback address.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
