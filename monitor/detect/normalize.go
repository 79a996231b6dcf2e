package detect

import (
	"runtime/debug"
	"strings"
	"sync"

	"github.com/auditwarden/auditwarden/internal/address"
	"github.com/auditwarden/auditwarden/monitor"
)

// A normalizer gives events the form in which rules see them: a principal has one
// name, and an address one text, in whatever forms they come.
type normalizer struct {
	principal func(string) string // the application's, nil for none
	copies    sync.Pool           // of *monitor.Event
}

func newNormalizer(principal func(string) string) *normalizer {
	n := &normalizer{principal: principal}
	n.copies.New = func() any { return new(monitor.Event) }
	return n
}

// event returns the event itself if it has that form, otherwise a copy, which is to be
// given back to done.
func (n *normalizer) event(e *monitor.Event, fail func(error)) *monitor.Event {
	principal, from := n.name(e.PrincipalID, fail), address.Normal(e.Session.IPAddress)
	if principal == e.PrincipalID && from == e.Session.IPAddress {
		return e
	}
	c := n.copies.Get().(*monitor.Event) //nolint:errcheck,forcetypeassert // the pool's only type
	*c = *e
	c.PrincipalID, c.Session.IPAddress = principal, from
	return c
}

// done ends the use of what event returned for the event e.
func (n *normalizer) done(c, e *monitor.Event) {
	if c != e {
		*c = monitor.Event{}
		n.copies.Put(c)
	}
}

// name returns the one name of a principal. If the application's function panics, that
// is the name without white space around it.
func (n *normalizer) name(principal string, fail func(error)) (name string) {
	name = strings.TrimSpace(principal)
	if n.principal == nil || name == "" {
		return name
	}
	defer func() {
		if v := recover(); v != nil {
			fail(&monitor.PanicError{Where: "Options.NormalizePrincipal", Value: v, Stack: debug.Stack()})
		}
	}()
	return n.principal(name)
}
