package detect

import (
	"net/netip"
	"strings"

	"github.com/auditwarden/auditwarden/internal/address"
	"github.com/auditwarden/auditwarden/monitor"
)

// Exceptions are events that rules ignore: those of certain principals, with
// certain actions, or from certain networks.
//
// An exception looks only at fields that the signature of an event covers, because
// an attacker could edit any other field to go unnoticed. If the monitor has no
// verifier, or [Options.TrustUncovered] is set, it looks at all fields. No
// canonical form covers the address yet, so that verified events are excepted by
// their network only with TrustUncovered.
type Exceptions struct {
	// Principals are names of principals, as rules see them: white space around them
	// does not count, and [Options.NormalizePrincipal] is applied to both sides.
	Principals []string
	// Actions are exact names, or prefixes if they end in an asterisk.
	Actions []string
	// Networks are networks of the addresses in sessions, which may be written in any
	// form that [Rule] lists. IPv4 addresses mapped into IPv6 count as IPv4.
	Networks []netip.Prefix
}

func (x *Exceptions) validate(bad complaint) {
	for _, p := range x.Principals {
		if strings.TrimSpace(p) == "" {
			bad("Exceptions.Principals", "one is empty")
		}
	}
	for _, a := range x.Actions {
		if strings.TrimSuffix(a, "*") == "" {
			bad("Exceptions.Actions", "%q would except every event", a)
		}
	}
	for _, n := range x.Networks {
		if !n.IsValid() {
			bad("Exceptions.Networks", "one is not a valid network")
		}
	}
}

// exceptions are compiled Exceptions.
type exceptions struct {
	principals map[string]struct{}
	actions    map[string]struct{}
	prefixes   []string
	networks   []netip.Prefix
}

// newExceptions joins several exceptions; it returns nil for none.
func newExceptions(normal *normalizer, all ...Exceptions) *exceptions {
	c := &exceptions{principals: map[string]struct{}{}, actions: map[string]struct{}{}}
	for _, x := range all {
		for _, p := range x.Principals {
			c.principals[normal.name(p, func(error) {})] = struct{}{}
		}
		for _, a := range x.Actions {
			if prefix, ok := strings.CutSuffix(a, "*"); ok {
				c.prefixes = append(c.prefixes, prefix)
			} else {
				c.actions[a] = struct{}{}
			}
		}
		for _, n := range x.Networks {
			c.networks = append(c.networks, unmap(n))
		}
	}
	if len(c.principals)+len(c.actions)+len(c.prefixes)+len(c.networks) == 0 {
		return nil
	}
	return c
}

// unmap turns a network of mapped IPv4 addresses into that of the addresses.
func unmap(n netip.Prefix) netip.Prefix {
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked()
}

// of returns, for an event in normal form, the field by which the event is excepted
// and 0 if it is not. Only the trusted fields are looked at.
func (x *exceptions) of(e *monitor.Event, trusted monitor.Fields) monitor.Fields {
	if x == nil {
		return 0
	}
	if trusted.Has(monitor.FieldPrincipalID) && e.PrincipalID != "" {
		if _, ok := x.principals[e.PrincipalID]; ok {
			return monitor.FieldPrincipalID
		}
	}
	if trusted.Has(monitor.FieldAction) {
		if _, ok := x.actions[e.Action]; ok {
			return monitor.FieldAction
		}
		for _, p := range x.prefixes {
			if strings.HasPrefix(e.Action, p) {
				return monitor.FieldAction
			}
		}
	}
	if trusted.Has(monitor.FieldSession) && len(x.networks) > 0 {
		from, ok := address.Parse(e.Session.IPAddress)
		if !ok {
			return 0
		}
		for _, n := range x.networks {
			if n.Contains(from) {
				return monitor.FieldSession
			}
		}
	}
	return 0
}
