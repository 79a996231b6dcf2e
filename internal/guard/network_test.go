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

		"168.63.129.15":  true,
		"168.63.129.17":  true,
		"34.118.223.255": true,
		"34.118.240.0":   true,
		"161.25.255.255": true,
		"161.27.0.0":     true,
		"166.7.255.255":  true,
		"166.12.0.0":     true,
		"199.36.153.3":   true,
		"199.36.153.12":  true,
		"192.80.8.125":   true,

		// What clouds answer for themselves.
		"168.63.129.16":       false, // Azure
		"64:ff9b::a83f:8110":  false, // the same by NAT64
		"169.254.170.2":       false, // AWS: ECS
		"169.254.170.23":      false, // AWS: EKS
		"169.254.169.253":     false, // AWS: name server
		"fd00:ec2::254":       false, // AWS
		"fd00:ec2::23":        false, // AWS: EKS
		"fd20:ce::254":        false, // Google
		"199.36.153.4":        false, // Google: restricted.googleapis.com
		"199.36.153.11":       false, // Google: private.googleapis.com
		"2600:2d00:2:1000::1": false,
		"2600:2d00:2:2000::1": false,
		"34.118.224.1":        false, // Google: the API server of a GKE cluster
		"34.118.239.255":      false,
		"161.26.0.10":         false, // IBM: name server
		"166.8.0.1":           false, // IBM: endpoints of services
		"166.11.255.255":      false,
		"100.100.100.200":     false, // Alibaba
		"100.125.0.1":         false, // Huawei: name server
		"169.254.0.23":        false, // Tencent
		"169.254.42.42":       false, // Scaleway
		"fd00:42::42":         false,
		"fd00:a9fe:a9fe::1":   false, // Linode
		"192.80.8.124":        false, // Equinix Metal

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
		"192.0.0.192":        false, // Oracle
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

// TestMappedNetworks: a network may be written as that of mapped addresses.
func TestMappedNetworks(t *testing.T) {
	t.Parallel()
	for network, inside := range map[string]string{
		"::ffff:10.0.0.0/104":    "10.1.2.3",
		"::ffff:10.1.2.3/128":    "10.1.2.3",
		"::ffff:0:0/96":          "10.1.2.3",
		"::ffff:192.168.1.9/112": "192.168.200.1",
		"64:ff9b::a00:0/104":     "64:ff9b::a01:203",
		"2002:a00::/24":          "2002:a01:203::1",
	} {
		allowed := []netip.Prefix{netip.MustParsePrefix(network)}
		check.NoError(t, network, guard.Options{AllowedNetworks: allowed}.Validate())
		check.Equal(t, inside+" is permitted by "+network, guard.Permitted(netip.MustParseAddr(inside), allowed), true)
		check.Equal(t, "::1 is permitted by "+network, guard.Permitted(netip.IPv6Loopback(), allowed), false)
	}
}

// TestCheckHost knows without a name server what the dialer would refuse.
func TestCheckHost(t *testing.T) {
	t.Parallel()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for host, want := range map[string][2]bool{ // by default, and with loopback allowed
		"example.com":        {true, true},
		"example.com.":       {true, true},
		"münchen.example":    {true, true},
		"mail_1.example":     {true, true},
		"8.8.8.8":            {true, true},
		"2606:4700::1111":    {true, true},
		"localhost.evil.com": {true, true},
		"1.example":          {true, true},

		"127.0.0.1":        {false, true},
		"::ffff:127.0.0.1": {false, true},
		"localhost":        {false, true},
		"LocalHost.":       {false, true},
		"db.localhost":     {false, true},

		"::1":             {false, false},
		"10.0.0.1":        {false, false},
		"168.63.129.16":   {false, false},
		"fe80::1%eth0":    {false, false},
		"127.1":           {false, false},
		"0x7f000001":      {false, false},
		"2130706433":      {false, false},
		"0177.0.0.1":      {false, false},
		"127.0.0.1.":      {false, false},
		"256.256.256.256": {false, false},
		"":                {false, false},
		".":               {false, false},
		"user@host":       {false, false},
		"a b":             {false, false},
		"a/b":             {false, false},
	} {
		check.Equal(t, fmt.Sprintf("%q is a host", host), guard.CheckHost(host, nil) == nil, want[0])
		check.Equal(t, fmt.Sprintf("%q is a host with loopback", host), guard.CheckHost(host, loopback) == nil, want[1])
	}
	v6 := []netip.Prefix{netip.MustParsePrefix("::1/128")}
	check.NoError(t, "localhost by IPv6", guard.CheckHost("localhost", v6))
	check.ErrorAs[*guard.AddressError](t, "localhost", guard.CheckHost("localhost", nil))
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
