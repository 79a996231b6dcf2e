package detect

import (
	"strings"

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

// A Key puts an event of an organization into a group. Groups of different
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
