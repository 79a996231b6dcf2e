package redisclaim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting/claims"
)

// Options are the settings of [Claims]. The zero value of each is its default.
type Options struct {
	// Prefix tells services that share a Redis apart; instances of one service
	// have the same. Default: auditwarden:alerts.
	Prefix string
}

// Claims are [claims.Set] in Redis. They are safe for concurrent use.
type Claims struct {
	client redis.UniversalClient
	prefix string
}

var _ claims.Set = (*Claims)(nil)

// New returns claims in Redis. Nil options are the defaults. It does not connect
// to Redis. It is an error if there is no client.
func New(client redis.UniversalClient, options *Options) (*Claims, error) {
	if client == nil {
		return nil, errors.New("redisclaim: new claims: client is nil")
	}
	var o Options
	if options != nil {
		o = *options
	}
	return &Claims{client: client, prefix: cmp.Or(o.Prefix, "auditwarden:alerts")}, nil
}

// key returns the key in Redis for that of an alert. The fingerprint has a fixed
// length, so that no organization has the key of another.
func (c *Claims) key(k claims.AlertKey) string {
	return c.prefix + ":alert_cooldown:" + k.Organization + ":" + k.Fingerprint.String()
}

// Lookup implements [claims.Set]. With an error there are no claims.
func (c *Claims) Lookup(ctx context.Context, keys []claims.AlertKey) ([]claims.Claim, error) {
	p := c.client.Pipeline()
	responses := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		responses[i] = p.Get(ctx, c.key(key))
	}
	if err := send(ctx, p); err != nil {
		return nil, fmt.Errorf("redisclaim: look up claims: %w", err)
	}
	var found []claims.Claim
	for i, response := range responses {
		if severity, id, ok := decode(response.Val()); ok {
			found = append(found, claims.Claim{AlertKey: keys[i], AlertID: id, Severity: severity})
		}
	}
	return found, nil
}

// Claim implements [claims.Set]. After an error some may be made. A claim
// lasts for a millisecond at least.
func (c *Claims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	p := c.client.Pipeline()
	for _, claim := range made {
		p.Set(ctx, c.key(claim.AlertKey), encode(claim.Severity, claim.AlertID), max(ttl, time.Millisecond))
	}
	if err := send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: make claims: %w", err)
	}
	return nil
}

// Release implements [claims.Set].
func (c *Claims) Release(ctx context.Context, key claims.AlertKey) error {
	p := c.client.Pipeline()
	p.Del(ctx, c.key(key))
	if err := send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: release claim: %w", err)
	}
	return nil
}

// send sends what is in a pipeline and waits for the responses, but no longer than
// ctx lasts: go-redis itself does, unless told otherwise.
func send(ctx context.Context, p redis.Pipeliner) error {
	done := make(chan error, 1)
	go func() {
		commands, first := p.Exec(ctx)
		err := failure(first)
		for _, command := range commands {
			if err == nil {
				err = failure(command.Err())
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure returns err, unless it says that a key does not exist or is not a string.
func failure(err error) error {
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	return err
}
