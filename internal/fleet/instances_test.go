package fleet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auditwarden/auditwarden/internal/testservice"
)

// TestTenInstances has ten processes on one Redis and one PostgreSQL see the same
// attack, each a part of it, some events two of them.
func TestTenInstances(t *testing.T) {
	tr := newTrail(t, 1, 6, 2)
	f := newFleet(t, tr, []string{testservice.RedisURL(t)}, testservice.PostgresURL(t))
	f.join(10, f.settings)
	for wave := range tr.waves {
		f.load(wave, 10)
		f.settle()
	}
	f.finish()
	f.check()
	for _, p := range f.instances {
		assert.Positive(t, p.events, "events of an instance")
	}
}

// TestCluster has four on a Redis Cluster.
func TestCluster(t *testing.T) {
	var nodes []string
	for _, addr := range testservice.Cluster(t).Addrs() {
		nodes = append(nodes, "redis://"+addr)
	}
	tr := newTrail(t, 2, 3, 1)
	f := newFleet(t, tr, nodes, testservice.PostgresURL(t))
	f.join(4, f.settings)
	f.load(0, 10)
	f.finish()
	f.check()
}
