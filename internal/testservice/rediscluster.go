package testservice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A RedisCluster is a Redis Cluster of three masters without replicas.
type RedisCluster struct {
	Nodes []*RedisServer
}

// Addrs returns the addresses of the nodes.
func (c *RedisCluster) Addrs() []string {
	var addrs []string
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return addrs
}

// Cluster starts a Redis Cluster.
func Cluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	cli := find(tb, "redis-cli", "redis-tools")
	c := &RedisCluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, Redis(tb,
			"--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
			"--cluster-require-full-coverage", "no"))
	}
	args := append([]string{cli, "--cluster", "create"}, c.Addrs()...)
	c.Nodes[0].must(run(nil, filepath.Dir(c.Nodes[0].dir), append(args, "--cluster-yes")...))
	for _, n := range c.Nodes {
		n.must(n.await(n.inCluster))
	}
	return c
}

// inCluster returns nil once the node knows that every slot has a node.
func (s *RedisServer) inCluster() error {
	info, err := s.client.ClusterInfo(context.Background()).Result()
	if err != nil || strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") {
		return err
	}
	return errors.New(info)
}

// MoveSlot moves the slot of an existing key, with all its keys, to another node
// while clients use it. It calls during twice, when the Cluster may redirect a
// client to either node: before the keys are moved, and after.
func (c *RedisCluster) MoveSlot(key string, during func()) {
	c.Nodes[0].tb.Helper()
	ctx := context.Background()
	from, to := c.Nodes[0], c.Nodes[0]
	slot, err := from.client.ClusterKeySlot(ctx, key).Result()
	from.must(err)
	for _, n := range c.Nodes {
		keys, err := n.client.ClusterCountKeysInSlot(ctx, int(slot)).Result()
		n.must(err)
		if keys > 0 {
			from = n
		} else {
			to = n
		}
	}
	fromID, toID := from.Do("CLUSTER MYID"), to.Do("CLUSTER MYID")
	to.Do(fmt.Sprintf("CLUSTER SETSLOT %v IMPORTING %v", slot, fromID))
	from.Do(fmt.Sprintf("CLUSTER SETSLOT %v MIGRATING %v", slot, toID))
	during()
	host, port, err := net.SplitHostPort(to.Addr)
	to.must(err)
	keys, err := from.client.ClusterGetKeysInSlot(ctx, int(slot), 1<<20).Result()
	from.must(err)
	for _, key := range keys {
		from.must(from.client.Migrate(ctx, host, port, key, 0, time.Second).Err())
	}
	during()
	for _, n := range []*RedisServer{to, from, c.Nodes[0], c.Nodes[1], c.Nodes[2]} {
		n.Do(fmt.Sprintf("CLUSTER SETSLOT %v NODE %v", slot, toID))
	}
}
