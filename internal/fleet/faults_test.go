package fleet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auditwarden/auditwarden/internal/testservice"
)

// TestFaults breaks a part of the whole while three instances are at work, or one
// of them. Nothing may be lost, doubled or counted wrong.
func TestFaults(t *testing.T) {
	shared := servers{redis: testservice.RedisURL(t), postgres: testservice.PostgresURL(t)}
	for name, test := range map[string]func(*testing.T, servers) *fleet{
		"RedisKilled":              redisKilled,
		"RedisPaused":              redisPaused,
		"PostgresKilled":           postgresKilled,
		"PostgresPaused":           postgresPaused,
		"InstanceKilled":           instanceKilled,
		"InstanceKilledCoalescing": instanceKilledCoalescing,
		"InstanceKilledUnnotified": instanceKilledUnnotified,
		"InstanceKilledNotifying":  instanceKilledNotifying,
		"ReceiverDown":             receiverDown,
		"ReceiverSlow":             receiverSlow,
		"ReceiverGarbled":          receiverGarbled,
		"RedeliveredTwice":         redeliveredTwice,
		"ResolvedMeanwhile":        resolvedMeanwhile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := test(t, shared)
			f.finish()
			f.check()
		})
	}
}

// servers are the URLs of servers that tests share.
type servers struct{ redis, postgres string }

// newSmallFleet returns a fleet whose attack is not on many.
func newSmallFleet(t *testing.T, s servers) *fleet {
	t.Helper()
	return newFleet(t, newTrail(t, 3, 2, 2), []string{s.redis}, s.postgres)
}

// impatient returns settings with which an instance feels soon that a server hangs.
func (f *fleet) impatient() settings {
	s := f.settings
	s.Patience = 500 * time.Millisecond
	return s
}

// strike breaks something when half of the load is stored, has the instances feel
// it that often, and repairs it.
func (f *fleet) strike(breaks func(), felt int64, repairs func()) {
	f.Helper()
	f.eventually("half of the events are stored", f.queue.half)
	before := f.retries.count.Load()
	breaks()
	f.queue.release()
	f.eventually("instances feel that something is wrong", func() bool { return f.retries.count.Load() >= before+felt })
	repairs()
}

func redisKilled(t *testing.T, s servers) *fleet {
	server := testservice.Redis(t)
	f := newSmallFleet(t, servers{server.URL(), s.postgres})
	f.join(3, f.impatient())
	f.load(0, 10)
	f.strike(server.Kill, 3, server.Restart)
	return f
}

func redisPaused(t *testing.T, s servers) *fleet {
	server := testservice.Redis(t)
	f := newSmallFleet(t, servers{server.URL(), s.postgres})
	f.join(3, f.impatient())
	f.load(0, 10)
	f.strike(server.Pause, 12, server.Resume)
	return f
}

func postgresKilled(t *testing.T, s servers) *fleet {
	server := testservice.Postgres(t)
	f := newSmallFleet(t, servers{s.redis, server.URL()})
	f.join(3, f.impatient())
	f.load(0, 10)
	f.strike(server.Kill, 3, server.Restart)
	return f
}

func postgresPaused(t *testing.T, s servers) *fleet {
	server := testservice.Postgres(t)
	f := newSmallFleet(t, servers{s.redis, server.URL()})
	f.join(3, f.impatient())
	f.load(0, 10)
	f.strike(server.Pause, 12, server.Resume)
	return f
}

// instanceKilled kills an instance between judging events and acknowledging them.
// Nothing but what comes before an acknowledgement stores repeats.
func instanceKilled(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.settings.Coalesce = time.Hour
	f.join(1, f.settings)
	p := f.instances[0]
	p.dieAfter.Store(20)
	f.load(0, 10)
	f.eventually("the instance is killed", p.dies.Load)
	f.join(2, f.settings)
	f.settle()
	assert.Positive(t, f.queue.redelivered(), "batches that the instance had in hand")
	return f
}

// instanceKilledCoalescing kills an instance that holds repeats and has not
// acknowledged them.
func instanceKilledCoalescing(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	doomed := f.settings
	doomed.Webhook, doomed.Coalesce, doomed.StuckAfter = "", time.Hour, 30
	f.join(1, doomed)
	f.load(0, 10)
	p := f.instances[0]
	f.eventually("the instance is stuck", func() bool { return p.batches.Load() == int64(doomed.StuckAfter) })
	assert.Positive(t, p.held.Load(), "repeats that the instance holds")
	p.kill()
	f.join(2, f.settings)
	f.settle()
	assert.Equal(t, 1, f.queue.redelivered(), "batches that the instance had in hand")
	return f
}

// instanceKilledUnnotified kills the instance that has opened all alerts, before it
// does anything about their notifications.
func instanceKilledUnnotified(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	doomed := f.settings
	doomed.Webhook = ""
	f.join(1, doomed)
	f.load(0, 10)
	f.settle()
	f.instances[0].kill()
	taken, _, _ := f.receiver.got()
	assert.Zero(t, taken)
	f.join(2, f.settings)
	return f
}

// instanceKilledNotifying kills an instance in the middle of deliveries: the
// receiver has got the notifications and the instance no answer.
func instanceKilledNotifying(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.receiver.be(slow)
	f.join(1, f.settings)
	f.load(0, 10)
	f.eventually("a notification is on its way", func() bool { return f.receiver.met() > 0 })
	f.instances[0].kill()
	f.receiver.be(nil)
	f.join(2, f.settings)
	return f
}

func receiverDown(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.receiver.be(down)
	return f.withReceiverBack()
}

func receiverSlow(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.receiver.be(slow)
	f.settings.WebhookLimit = 500 * time.Millisecond
	return f.withReceiverBack()
}

func receiverGarbled(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.receiver.be(garbled)
	return f.withReceiverBack()
}

// withReceiverBack plays the attack while the receiver is in trouble, and ends that
// when instances have begun to leave it alone. They will for a while, so another
// one joins.
func (f *fleet) withReceiverBack() *fleet {
	f.Helper()
	f.join(3, f.settings)
	f.load(0, 10)
	f.settle()
	f.eventually("the receiver has failed often", func() bool { return f.receiver.met() >= 12 })
	f.receiver.be(nil)
	f.join(1, f.settings)
	return f
}

// redeliveredTwice delivers everything three times.
func redeliveredTwice(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.join(3, f.settings)
	for range 3 {
		f.load(0, 0)
		f.settle()
	}
	return f
}

// resolvedMeanwhile has a person resolve half of the alerts before the attack goes
// on: these incidents have another alert, and nothing of the first in it.
func resolvedMeanwhile(t *testing.T, s servers) *fleet {
	f := newSmallFleet(t, s)
	f.join(3, f.settings)
	f.load(0, 10)
	f.settle()
	f.resolveHalf()
	f.load(1, 10)
	return f
}
