package detect

import (
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// Unknown is the group of the events that name nobody. See
// [Options.SkipAnonymous].
const Unknown = "unknown"

// A Group is what the events of a window have in common.
type Group struct {
	// Field is the JSON name of what Value is, such as "principalId".
	Field string
	// Value is the group's name, bare. Empty puts the event into the group
	// [Unknown].
	Value string
	// Fields are the event's fields that Value was read from.
	Fields monitor.Fields
}

// A Key puts an event of an organization into a group. Groups never reach across
// organizations. It must be safe for concurrent use and depend on nothing but
// its arguments.
type Key func(e *monitor.Event, organization string) Group

// ByPrincipal groups by who did it.
func ByPrincipal(e *monitor.Event, _ string) Group {
	return Group{Field: "principalId", Value: e.PrincipalID, Fields: monitor.FieldPrincipalID}
}

// ByPrincipalOrAddress groups by who did it, and by the address it came from
// when the event does not say who.
func ByPrincipalOrAddress(e *monitor.Event, organization string) Group {
	g := ByPrincipal(e, organization)
	if g.Value == "" && e.Session.IPAddress != "" {
		g = ByAddress(e, organization)
		g.Fields |= monitor.FieldPrincipalID
	}
	return g
}

// ByAddress groups by the address it came from.
func ByAddress(e *monitor.Event, _ string) Group {
	return Group{Field: "ipAddress", Value: e.Session.IPAddress, Fields: monitor.FieldSession}
}

// ByResource groups by the resource it was done to: the type and the ID joined
// by a slash, as in "Patient/7", or the one there is. A slash in the type, or in
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

// ByOrganization has one group for the whole organization.
func ByOrganization(_ *monitor.Event, organization string) Group {
	return Group{Field: "organizationId", Value: organization, Fields: monitor.FieldOrganizationID}
}
