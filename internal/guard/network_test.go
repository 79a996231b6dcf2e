package guard_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/guard"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8":              true,
		"1.1.1.1":              true,
		"100.63.255.255":       true,
		"100.128.0.0":          true,
		"172.15.255.255":       true,
		"172.32.0.0":           true,
		"192.0.1.0":            true,
		"198.17.255.255":       true,
		"198.20.0.0":           true,
		"223.255.255.255":      true,
		"2606:4700::1111":      true,
		"2001:4860:4860::8888": true,
		"64:ff9b::808:808":     true, // 8.8.8.8 by NAT64

		"0.0.0.0":            false,
		"0.1.2.3":            false,
		"10.255.255.255":     false,
		"100.64.0.1":         false,
		"100.127.255.255":    false,
		"127.0.0.1":          false,
		"127.255.255.254":    false,
		"169.254.169.254":    false, // the metadata of clouds
		"172.16.0.1":         false,
		"172.31.255.255":     false,
		"192.0.0.192":        false,
		"192.0.2.1":          false,
		"192.88.99.1":        false,
		"192.168.0.1":        false,
		"198.18.0.1":         false,
		"198.19.255.255":     false,
		"198.51.100.1":       false,
		"203.0.113.1":        false,
		"224.0.0.1":          false,
		"239.255.255.255":    false,
		"240.0.0.1":          false,
		"255.255.255.255":    false,
		"::":                 false,
		"::1":                false,
		"::7f00:1":           false, // IPv4-compatible
		"64:ff9b::7f00:1":    false, // 127.0.0.1 by NAT64
		"64:ff9b::a9fe:a9fe": false,
		"64:ff9b:1::808:808": false,
		"100::1":             false, // discarded
		"2001::1":            false, // Teredo
		"2001:db8::1":        false,
		"2002:7f00:1::":      false, // 127.0.0.1 by 6to4
		"3fff::1":            false,
		"5f00::1":            false,
		"fc00::1":            false,
		"fd00:ec2::254":      false,
		"fe80::1":            false,
		"fec0::1":            false,
		"ff02::1":            false,
		"4000::1":            false, // given to nobody
	} {
		check.Equal(t, fmt.Sprintf("%s is permitted", text), guard.Permitted(netip.MustParseAddr(text), nil), want)
	}
	allowed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	for text, want := range map[string]bool{
		"10.1.2.3":           true,
		"64:ff9b::a01:203":   true, // 10.1.2.3 by NAT64
		"fd00:ec2::254":      true,
		"8.8.8.8":            true,
		"10.2.0.1":           false,
		"127.0.0.1":          false,
		"fc00::1":            false,
		"64:ff9b::a02:203":   false,
		"64:ff9b::7f00:1":    false,
		"2001:db8:a01:203::": false,
	} {
		check.Equal(t, fmt.Sprintf("%s is permitted", text), guard.Permitted(netip.MustParseAddr(text), allowed), want)
	}
}

func TestDialer(t *testing.T) {
	t.Parallel()
	l := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		_, err := guard.Dialer(nil).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if _, ok := errors.AsType[*guard.AddressError](err); !ok {
			t.Errorf("dial %s = %v, want an AddressError", host, err)
		}
		conn, err := guard.Dialer(loopback).DialContext(t.Context(), "tcp4", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("dial %s, which is allowed: %v", host, err)
			continue
		}
		conn.Close()
	}
	mutable := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	dialer := guard.Dialer(mutable)
	mutable[0] = loopback[0]
	if conn, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("the list was changed afterwards")
	}
	if _, err := guard.Dialer(loopback).DialContext(t.Context(), "unix", "/run/socket"); err == nil {
		t.Error("a socket of another kind was opened")
	}
}
