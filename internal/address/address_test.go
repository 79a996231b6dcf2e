package address_test

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/address"
	"github.com/auditwarden/auditwarden/internal/check"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"203.0.113.9": {
			"203.0.113.9", " 203.0.113.9\t", "203.0.113.9:40001", "203.0.113.9:1", "[203.0.113.9]", "[203.0.113.9]:443",
			"::ffff:203.0.113.9", "::FFFF:203.0.113.9", "[::ffff:203.0.113.9]", "[::ffff:203.0.113.9]:443",
			"::ffff:203.0.113.9:443", "::ffff:cb00:7109", "[::ffff:cb00:7109]:443", "0:0:0:0:0:ffff:203.0.113.9",
			"0000:0000:0000:0000:0000:ffff:203.0.113.9", "::ffff:203.0.113.9%eth0", "[::ffff:203.0.113.9%1]:443",
		},
		"2001:db8::1": {
			"2001:db8::1", "2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:0:0:0:1", "[2001:db8::1]",
			"[2001:db8::1]:443", "[2001:DB8::0001]:443", "2001:db8:0:0:0:0:0:1:443", "2001:db8::1%eth0", "[2001:db8::1%eth0]:80",
		},
		"fe80::1": {"fe80::1", "fe80::1%eth0", "fe80::1%2", "[fe80::1%eth0]:443", "[FE80::1%25eth0]"},
		"::1":     {"::1", "[::1]:8080", "0:0:0:0:0:0:0:1"},
		// A port behind :: cannot be told from a part of the address.
		"2001:db8::1:443": {"2001:db8::1:443", "[2001:db8::1:443]"},
		// What is no address.
		"":                      {"", " ", "\n"},
		"client.example":        {"client.example", "client.example:443", " client.example "},
		"010.0.0.1":             {"010.0.0.1", "010.0.0.1:443"},
		"203.0.113.9, 10.0.0.1": {"203.0.113.9, 10.0.0.1"},
		"203.0.113.9:123456":    {"203.0.113.9:123456"},
		"203.0.113.9:":          {"203.0.113.9:"},
		"203.0.113.9/24":        {"203.0.113.9/24"},
		"[203.0.113.9":          {"[203.0.113.9"},
		"[2001:db8::1]x":        {"[2001:db8::1]x"},
		"@":                     {"@"},
		":443":                  {":443"},
		"100%":                  {"100%"},
	}
	for want, texts := range tests {
		for _, text := range texts {
			check.Equal(t, text, address.Normal(text), want)
			a, ok := address.Parse(text)
			expected, err := netip.ParseAddr(want)
			check.Equal(t, text+" is an address", ok, err == nil)
			if ok {
				check.Equal(t, text, a, expected)
			}
		}
	}
}

// TestNormalDoesNotAllocate pins it for what emitters write, and for names.
func TestNormalDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts allocations
	for _, text := range []string{
		"203.0.113.9", "203.0.113.9:40001", "::ffff:203.0.113.9", "[::ffff:203.0.113.9]:443", "2001:db8::1",
		"[2001:db8:1:2:3:4:5:6]:443", "fe80::1%eth0", "client.example:443", "localhost", strings.Repeat("x", 10_000),
	} {
		if n := testing.AllocsPerRun(100, func() { address.Normal(text) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// FuzzNormal checks that the form of an address is always the same, whatever is
// around it, and that it is its own form.
func FuzzNormal(f *testing.F) {
	for _, text := range []string{"203.0.113.9:40001", "[fe80::1%eth0]:443", "::ffff:10.0.0.1", "client.example:1", "[", "%", ":"} {
		f.Add(text, uint16(443))
	}
	f.Fuzz(func(t *testing.T, text string, port uint16) {
		normal := address.Normal(text)
		if again := address.Normal(normal); again != normal {
			t.Errorf("%q becomes %q and then %q", text, normal, again)
		}
		a, ok := address.Parse(text)
		if !ok {
			return
		}
		check.Equal(t, "form", normal, a.String())
		with := net.JoinHostPort(a.String(), strconv.Itoa(int(port)))
		check.Equal(t, with, address.Normal(with), normal)
		if a.Is4() {
			mapped := netip.AddrFrom16(a.As16()).String()
			check.Equal(t, mapped, address.Normal(mapped), normal)
		}
	})
}
