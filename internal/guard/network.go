package guard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// An AddressError says that connecting to an address is not allowed.
type AddressError struct {
	Addr netip.Addr
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s is neither public nor in an allowed network", e.Addr)
}

// Dialer returns a dialer that connects to public addresses and to addresses in
// the allowed networks only. It checks the address that a name was resolved to,
// so that a name server cannot lead around the check. It returns an
// [AddressError] for an address that it refuses.
func Dialer(allowed []netip.Prefix) *net.Dialer {
	allowed = slices.Clone(allowed)
	return &net.Dialer{
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if addr := ap.Addr().WithZone("").Unmap(); !permitted(addr, allowed) {
				return &AddressError{addr}
			}
			return nil
		},
	}
}

func permitted(addr netip.Addr, allowed []netip.Prefix) bool {
	if slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	if nat64.Contains(addr) {
		raw := addr.As16()
		return permitted(netip.AddrFrom4([4]byte(raw[12:])), allowed)
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
}

var (
	// nat64 addresses have an IPv4 address in their last 32 bits (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	// globalUnicast is the part of IPv6 that is assigned (RFC 4291, 2.4).
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// special are the networks in IANA's registries of special-purpose addresses
	// (RFC 6890), and those for multicast. For IPv6 it has only those inside
	// globalUnicast.
	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("10.0.0.0/8"),      // private
		netip.MustParsePrefix("100.64.0.0/10"),   // behind a carrier's NAT
		netip.MustParsePrefix("127.0.0.0/8"),     // loopback
		netip.MustParsePrefix("169.254.0.0/16"),  // link-local
		netip.MustParsePrefix("172.16.0.0/12"),   // private
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),  // private
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("224.0.0.0/4"),     // multicast
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4, wraps IPv4 addresses
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
)
