// Package address reads addresses of the Internet as emitters of events write them:
// with a port or without, in brackets or not, IPv4 mapped into IPv6, with a zone.
package address

import (
	"net/netip"
	"strings"
)

// Parse returns the address that a text names, without its port and its zone. An
// address of IPv4 that is mapped into IPv6 is that of IPv4. Anything else, such as a
// name or a list of addresses, is no address.
func Parse(text string) (netip.Addr, bool) {
	return parse(host(text))
}

// Normal returns the one form of the address that a text names: that of RFC 5952,
// without port and zone. Of a text that names no address it cuts off the white space
// around it and the port behind a name. Normal allocates only if its result is no part
// of the text.
func Normal(text string) string {
	host := host(text)
	a, ok := parse(host)
	if !ok {
		return name(text)
	}
	var room [len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]byte
	form := a.AppendTo(room[:0])
	// That of a mapped address is the end of the text.
	if n := len(host) - len(form); n >= 0 && host[n:] == string(form) {
		return host[n:]
	}
	return string(form)
}

// host returns the part of a text that can be an address: without white space,
// brackets, zone and port.
func host(text string) string {
	text = strings.TrimSpace(text)
	if inside, ok := strings.CutPrefix(text, "["); ok {
		inside, port, closed := strings.Cut(inside, "]")
		if !closed || port != "" && !isPort(port) {
			return text
		}
		return cutZone(inside)
	}
	if before, ok := cutPort(text); ok {
		switch colons := strings.Count(before, ":"); {
		case colons == 0, // IPv4
			strings.IndexByte(before, '.') >= 0,            // mapped into IPv6
			colons == 7 && !strings.Contains(before, "::"): // all of IPv6
			text = before
		}
	}
	return cutZone(text)
}

// name returns a text that is no address, without the port behind a single colon.
func name(text string) string {
	text = strings.TrimSpace(text)
	if before, ok := cutPort(text); ok && before != "" && strings.IndexByte(before, ':') < 0 {
		return before
	}
	return text
}

func cutPort(text string) (before string, ok bool) {
	last := strings.LastIndexByte(text, ':')
	if last < 0 || !isPort(text[last:]) {
		return text, false
	}
	return strings.TrimSpace(text[:last]), true
}

// isPort reports whether a text is a colon and a number of up to five digits.
func isPort(text string) bool {
	if len(text) < 2 || len(text) > len(":65535") || text[0] != ':' {
		return false
	}
	for i := 1; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// cutZone cuts off the zone of an address of IPv6.
func cutZone(text string) string {
	if i := strings.IndexByte(text, '%'); i >= 0 && strings.IndexByte(text[:i], ':') >= 0 {
		return text[:i]
	}
	return text
}

// parse reads an address. It does not try what cannot be one, since an error of
// netip takes memory.
func parse(text string) (netip.Addr, bool) {
	const longest = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")
	if len(text) < len("::") || len(text) > longest {
		return netip.Addr{}, false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F', c == ':', c == '.':
		default:
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil
}
