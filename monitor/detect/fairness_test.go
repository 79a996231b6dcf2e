package detect_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A flood is events of a real organization, whose principals are attacked, among
// those of organizations that somebody makes up.
type flood struct {
	engine   *detect.Engine
	event    monitor.Event
	reporter *monitor.Reporter
	found    map[string]bool
	failures int // of each principal
}

func newFlood(t *testing.T, maxKeys int) *flood {
	f := &flood{failures: 5, found: map[string]bool{}}
	f.engine = newTrail(t, &detect.Options{MaxKeys: maxKeys, Rules: []detect.Rule{
		{Name: "r", Match: any1, Threshold: f.failures, Window: time.Hour},
	}}).engine
	f.event = *at(0, "x", "")
	return f
}

// send hands over an event.
func (f *flood) send(organization, principal string) {
	if f.reporter == nil || len(f.reporter.Findings()) > 0 {
		f.reporter = monitor.NewReporter(monitor.Arrival{Watermark: noon, Lateness: time.Minute})
	}
	a := f.reporter.Arrival()
	a.OrganizationID, a.Sequence = organization, a.Sequence+1
	f.event.OrganizationID, f.event.PrincipalID = organization, principal
	if err := f.engine.Detect(nil, &f.event, f.reporter); err != nil { //nolint:staticcheck // nothing waits
		panic(err)
	}
	for _, found := range f.reporter.Findings() {
		f.found[found.OrganizationID+"/"+found.Key] = true
	}
}

// made sends the i-th event of organizations that somebody makes up, each of which
// sends so many in a row, or one each round.
func (f *flood) made(i, organizations, each int, inRounds, manyPrincipals bool) {
	organization, nth := i/each, i%each
	if inRounds {
		organization, nth = i%organizations, i/organizations
	}
	principal := "user"
	if manyPrincipals {
		principal = fmt.Sprint("user-", nth)
	}
	f.send(fmt.Sprint("made-up-", organization), principal)
}

// real sends the i-th event of the real organization: in rounds over its
// principals.
func (f *flood) real(i, principals int) { f.send("real", fmt.Sprint("attacked-", i%principals)) }

// want checks that every attacked principal was found.
func (f *flood) want(t *testing.T, principals int) {
	t.Helper()
	n := 0
	for i := range principals {
		if f.found[fmt.Sprint("real/attacked-", i)] {
			n++
		}
	}
	if n != principals {
		s := f.engine.Stats()[0]
		t.Errorf("%d of %d attacked principals were found (%+v)", n, principals, s)
	}
}

// TestMadeUpOrganizations floods a rule from many organizations, whatever number
// of events each of them sends and in whatever order they come: nobody who is
// attacked in the real one is missed.
func TestMadeUpOrganizations(t *testing.T) {
	t.Parallel()
	const principals = 500
	for _, maxKeys := range []int{1000, 20_000} {
		for _, each := range []int{1, 2, 5, 20} {
			for _, inRounds := range []bool{false, true} {
				for _, order := range []string{"interleaved", "in bursts", "before", "shuffled"} {
					t.Run(fmt.Sprintf("keys=%d/events=%d/rounds=%t/%s", maxKeys, each, inRounds, order), func(t *testing.T) {
						t.Parallel()
						f := newFlood(t, maxKeys)
						organizations := max(4*maxKeys/each, 2000)
						events, attacks := organizations*each, principals*f.failures
						next := 0
						flood := func(n int) {
							for ; n > 0 && next < events; n-- {
								f.made(next, organizations, each, inRounds, next%2 == 0)
								next++
							}
						}
						switch order {
						case "before":
							flood(events / 2)
							fallthrough
						case "interleaved":
							for i := range attacks {
								f.real(i, principals)
								flood((events - next) / (attacks - i))
							}
						case "in bursts":
							for i := range attacks {
								if i%principals == 0 {
									flood(events / f.failures)
								}
								f.real(i, principals)
							}
						case "shuffled":
							random := rand.New(rand.NewPCG(1, uint64(each)))
							for i := 0; i < attacks; {
								if random.IntN(events+attacks) < attacks {
									f.real(i, principals)
									i++
								} else {
									flood(1)
								}
							}
						}
						f.want(t, principals)
					})
				}
			}
		}
	}
}

// TestFloodAtDefaults floods a rule of the default size from 200,000
// organizations.
func TestFloodAtDefaults(t *testing.T) {
	t.Parallel()
	const principals, organizations = 500, 200_000
	f := newFlood(t, 0)
	attacks := principals * f.failures
	for i := range organizations {
		f.made(i, organizations, 1, false, false)
		if i%(organizations/attacks) == 0 {
			f.real(i/(organizations/attacks), principals)
		}
	}
	f.want(t, principals)
}

// TestKnownOrganizations floods a rule from many organizations, from some that send
// much, and from one that sends without end: those that are known and keep to their
// share lose nothing, although they send nothing meanwhile. A restored engine knows
// them, too.
func TestKnownOrganizations(t *testing.T) {
	t.Parallel()
	const honest, principals = 10, 200
	f := newFlood(t, 8192)
	round := func() {
		for o := range honest {
			for p := range principals {
				f.send(fmt.Sprint("honest-", o), fmt.Sprint("user-", p))
			}
		}
	}
	for range 3 {
		round()
	}
	restored := newFlood(t, 8192)
	if err := restored.engine.Restore(bytes.NewReader(snapshot(t, f.engine))); err != nil {
		t.Fatal(err)
	}
	restored.reporter = monitor.NewReporter(*f.reporter.Arrival())
	f = restored
	for i := range 40_000 {
		f.made(i, 2000, 20, i%2 == 0, true)
		f.send("endless", fmt.Sprint("user-", i))
		f.send(fmt.Sprint("much-", i%8), fmt.Sprint("user-", i/8))
	}
	for range 2 {
		round()
	}
	n := 0
	for o := range honest {
		for p := range principals {
			if f.found[fmt.Sprintf("honest-%d/user-%d", o, p)] {
				n++
			}
		}
	}
	if n != honest*principals {
		t.Errorf("%d of %d principals of known organizations were found", n, honest*principals)
	}
}
