package monitor

// tenants knows whose an event claims to be, and who is known: an organization that
// an event was accepted from.
type tenants struct {
	defaultOrganization string
	watermarks          *watermarks
}

// of returns the organization that an event says it is from. Before the event is
// verified, that is a claim.
func (t *tenants) of(e *Event) string {
	if e.OrganizationID == "" {
		return t.defaultOrganization
	}
	return e.OrganizationID
}

func (t *tenants) known(organization string) bool { return t.watermarks.knows(organization) }
