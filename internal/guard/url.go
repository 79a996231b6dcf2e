package guard

import (
	"errors"
	"net/netip"
	"net/url"
)

// ParseURL parses the address of an HTTP server. Its error does not quote the
// text, which may hold a token.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("missing")
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, errors.New("names no host")
	}
	return u, nil
}

// Origin returns the part of a URL that is no secret: scheme, host and port.
func Origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// Confidential returns an error if what is sent to the URL can be read on the
// way: over plain http to another machine.
func Confidential(u *url.URL) error {
	if u.Scheme == "https" || Loopback(u.Hostname()) {
		return nil
	}
	return errors.New("a secret does not go over plain http to another machine")
}

// Loopback reports whether a host, given as a name or an address, is this
// machine. The name is localhost (RFC 6761, 6.3).
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
