package detect

import (
	"net/netip"
	"strings"

	"github.com/auditwarden/auditwarden/internal/address"
	"github.com/auditwarden/auditwarden/monitor"
)

// Unknown is the group of events that lack what they are grouped by. See
// [Options.SkipAnonymous].
const Unknown = "unknown"

// A Group is what the events of a window have in common.
type Group struct {
	// Field is the JSON name of what Value is, such as "principalId".
	Field string
	// Value is the name of the group. An event with an empty value is in the group
	// [Unknown].
	Value string
	// Fields are the fields of the event that Value was read from.
	Fields monitor.Fields
}

// A Key puts an event of an organization into a group. The event is as a [Rule] sees
// it. Groups of different
// organizations are always different groups. A Key must be safe for concurrent use
// and depend on nothing but its arguments.
type Key func(e *monitor.Event, organization string) Group

// ByPrincipal groups events by who did something.
func ByPrincipal(e *monitor.Event, _ string) Group {
	return Group{Field: "principalId", Value: e.PrincipalID, Fields: monitor.FieldPrincipalID}
}

// ByPrincipalOrAddress groups events by who did something, or by the address that
// they came from if they do not say who.
func ByPrincipalOrAddress(e *monitor.Event, organization string) Group {
	g := ByPrincipal(e, organization)
	if g.Value == "" && e.Session.IPAddress != "" {
		g = ByAddress(e, organization)
		g.Fields |= monitor.FieldPrincipalID
	}
	return g
}

// ByAddress groups events by the address that they came from.
func ByAddress(e *monitor.Event, _ string) Group {
	return Group{Field: "ipAddress", Value: e.Session.IPAddress, Fields: monitor.FieldSession}
}

// ByNetwork returns a key that groups events by the network that they came from, for
// attackers who change their address within one: the first v4bits bits of an address of
// IPv4, as in "203.0.113.0/24", and the first v6bits bits of one of IPv6, as in
// "2001:db8::/64". A number that is not from 1 to 31, or to 127, stands for the whole
// address. What is no address is a group by its text.
func ByNetwork(v4bits, v6bits int) Key {
	return func(e *monitor.Event, _ string) Group {
		return Group{Field: "network", Value: network(e.Session.IPAddress, v4bits, v6bits), Fields: monitor.FieldSession}
	}
}

func network(text string, v4bits, v6bits int) string {
	from, ok := address.Parse(text)
	bits := v6bits
	if from.Is4() {
		bits = v4bits
	}
	if !ok || bits <= 0 || bits >= from.BitLen() {
		return address.Normal(text)
	}
	return netip.PrefixFrom(from, bits).Masked().String()
}

// ByResource groups events by the resource that something was done to. The group
// is named by the type and the ID joined by a slash, as in "Patient/7", or by the
// one that the event has. A slash in the type, or in
// an ID without type, is written as \/ and a backslash as \\, so that a resource
// with a type and an ID never has the name of another.
func ByResource(e *monitor.Event, _ string) Group {
	g := Group{
		Field:  "targetResourceId",
		Value:  resourceEscaper.Replace(e.TargetResourceID),
		Fields: monitor.FieldTargetResourceType | monitor.FieldTargetResourceID,
	}
	switch {
	case e.TargetResourceID == "":
		g.Field, g.Value = "targetResourceType", resourceEscaper.Replace(e.TargetResourceType)
	case e.TargetResourceType != "":
		g.Field, g.Value = "targetResource", resourceEscaper.Replace(e.TargetResourceType)+"/"+e.TargetResourceID
	}
	return g
}

var resourceEscaper = strings.NewReplacer(`\`, `\\`, "/", `\/`)

// ByOrganization puts all events of an organization into one group.
func ByOrganization(_ *monitor.Event, organization string) Group {
	return Group{Field: "organizationId", Value: organization, Fields: monitor.FieldOrganizationID}
}
