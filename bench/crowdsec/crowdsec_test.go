package crowdsec_test

import (
	"testing"
	"time"

	"github.com/crowdsecurity/crowdsec/pkg/csconfig"
	"github.com/crowdsecurity/crowdsec/pkg/cwhub"
	"github.com/crowdsecurity/crowdsec/pkg/exprhelpers"
	"github.com/crowdsecurity/crowdsec/pkg/leakybucket"
	"github.com/crowdsecurity/crowdsec/pkg/types"
	"gopkg.in/tomb.v2"

	"github.com/auditwarden/auditwarden/bench/benchtest"
)

// crowdSec is a leaky bucket for each user: a goroutine with a token bucket. Its
// "time machine" goes by the time of the event, as the rule demands; going by
// the wall clock, which would take the benchmark for an attack, saves it three
// of 22 allocations.
func crowdSec() benchtest.Contender {
	return benchtest.Contender{Name: "crowdsec", New: newBuckets}
}

type buckets struct {
	tb      testing.TB
	tomb    *tomb.Tomb
	holders []leakybucket.BucketFactory
	buckets *leakybucket.Buckets
	events  []types.Event
	out     chan types.Event
	alerts  chan int
}

func newBuckets(tb testing.TB, users int) benchtest.Engine {
	tb.Helper()
	if err := exprhelpers.Init(nil); err != nil {
		tb.Fatal(err)
	}
	hub, err := cwhub.NewHub(&csconfig.LocalHubCfg{}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	b := &buckets{tb: tb, tomb: &tomb.Tomb{}, buckets: leakybucket.NewBuckets(), alerts: make(chan int)}
	rule := &cwhub.Item{State: cwhub.ItemState{LocalPath: "testdata/failed_logins.yaml"}}
	b.holders, b.out, err = leakybucket.LoadBuckets(&csconfig.CrowdsecServiceCfg{}, hub, []*cwhub.Item{rule},
		b.tomb, b.buckets, false)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range benchtest.Events(users) {
		event := types.MakeEvent(true, types.LOG, true)
		event.Parsed = map[string]string{
			"action":         e.Action,
			"status":         string(e.Status),
			"principalId":    e.PrincipalID,
			"organizationId": e.OrganizationID,
		}
		event.Meta = map[string]string{"source_ip": e.Session.IPAddress}
		b.events = append(b.events, event)
	}
	b.tomb.Go(func() error { // a tomb is dead once it has no goroutine left
		<-b.tomb.Dying()
		return nil
	})
	go b.count()
	return b
}

// count takes the ends of buckets and counts those that overflowed.
func (b *buckets) count() {
	alerts := 0
	for event := range b.out {
		if event.Overflow.Alert != nil {
			alerts++
		}
	}
	b.alerts <- alerts
}

func (b *buckets) Login(user int, at time.Time) {
	e := &b.events[user]
	e.Time = at
	e.MarshaledTime = at.Format(time.RFC3339Nano)
	if poured, err := leakybucket.PourItemToHolders(*e, b.holders, b.buckets); !poured || err != nil {
		b.tb.Fatalf("poured: %t, %v", poured, err)
	}
}

func (b *buckets) Close() int {
	b.tomb.Kill(nil)
	if err := b.tomb.Wait(); err != nil {
		b.tb.Error(err)
	}
	close(b.out)
	return <-b.alerts
}
