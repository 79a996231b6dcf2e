package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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
			return checkAddr(ap.Addr(), allowed)
		},
	}
}

// CheckHost returns an error if a host is no host, or if it is known without a
// name server that the dialer refuses it: an [AddressError] for an address or for
// localhost.
func CheckHost(host string, allowed []netip.Prefix) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkAddr(addr, allowed)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761, 6.3
		if checkAddr(netip.IPv6Loopback(), allowed) == nil {
			return nil
		}
		return checkAddr(netip.AddrFrom4([4]byte{127, 0, 0, 1}), allowed)
	}
	// Some resolvers take 127.1 and 0x7f000001 for addresses. No name ends so.
	_, err := strconv.ParseUint(name[strings.LastIndexByte(name, '.')+1:], 0, 64)
	if err == nil || name == "" || strings.ContainsFunc(name, notInName) {
		return errors.New("host is neither a name nor an address")
	}
	return nil
}

// notInName reports whether a character is in no name of a host. A name that is
// not ASCII is encoded before it is looked up.
func notInName(r rune) bool {
	return r < 0x80 && !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r)
}

func checkAddr(addr netip.Addr, allowed []netip.Prefix) error {
	if addr = addr.WithZone("").Unmap(); !permitted(addr, allowed) {
		return &AddressError{addr}
	}
	return nil
}

func permitted(addr netip.Addr, allowed []netip.Prefix) bool {
	if slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return unmap(p).Contains(addr) }) {
		return true
	}
	if nat64.Contains(addr) {
		raw := addr.As16()
		return permitted(netip.AddrFrom4([4]byte(raw[12:])), allowed)
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return false
	}
	contains := func(p netip.Prefix) bool { return p.Contains(addr) }
	return !slices.ContainsFunc(special, contains) && !slices.ContainsFunc(cloud, contains)
}

// mappedBits is the length of the prefix that all IPv4 addresses have in IPv6
// (RFC 4291, 2.5.5.2).
const mappedBits = 96

// unmap returns a network of mapped addresses, such as ::ffff:10.0.0.0/104, as the
// IPv4 network that it is.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p
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
		netip.MustParsePrefix("100.64.0.0/10"),   // behind a carrier's NAT; clouds, such as 100.100.100.200 of Alibaba
		netip.MustParsePrefix("127.0.0.0/8"),     // loopback
		netip.MustParsePrefix("169.254.0.0/16"),  // link-local; metadata of most clouds
		netip.MustParsePrefix("172.16.0.0/12"),   // private
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments; 192.0.0.192 of Oracle
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
	// cloud are networks outside of those that mean the cloud's own services to a
	// machine in it.
	cloud = []netip.Prefix{
		// Azure: agent, health probes and name server
		// (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
		netip.MustParsePrefix("168.63.129.16/32"),
		// Google: restricted.googleapis.com and private.googleapis.com
		// (https://cloud.google.com/vpc/docs/configure-private-google-access).
		netip.MustParsePrefix("199.36.153.4/30"),
		netip.MustParsePrefix("199.36.153.8/30"),
		netip.MustParsePrefix("2600:2d00:2:1000::/64"),
		netip.MustParsePrefix("2600:2d00:2:2000::/64"),
		// Google: services of a GKE cluster, unless it has a range of its own
		// (https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips).
		netip.MustParsePrefix("34.118.224.0/20"),
		// IBM: infrastructure, and endpoints of services
		// (https://cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc).
		netip.MustParsePrefix("161.26.0.0/16"),
		netip.MustParsePrefix("166.8.0.0/14"),
		// Equinix Metal: metadata.platformequinix.com, formerly metadata.packet.net
		// (https://deploy.equinix.com/developers/docs/metal/server-metadata/metadata).
		netip.MustParsePrefix("192.80.8.124/32"),
	}
)
