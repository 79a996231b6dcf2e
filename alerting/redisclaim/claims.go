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

// Options configure [Claims]. The zero value of a field is its documented default.
type Options struct {
	// Prefix separates services that share a Redis. All instances of a service must
	// use the same one. Defaults to auditwarden:alerts.
	Prefix string
}

// Claims is a [claims.Set] in Redis. It is safe for concurrent use.
type Claims struct {
	client redis.UniversalClient
	prefix string
	// sending has something of every call that the client has not finished.
	sending chan struct{}
}

// maxSending is how many calls may be left to a client that waits without end for a
// Redis that does not answer.
const maxSending = 64

var _ claims.Set = (*Claims)(nil)

// New returns claims that use the given client. Options may be nil. It does not
// connect to Redis, and returns an error only if client is nil.
func New(client redis.UniversalClient, options *Options) (*Claims, error) {
	if client == nil {
		return nil, errors.New("redisclaim: new claims: client is nil")
	}
	prefix := cmp.Or(options, &Options{}).Prefix
	return &Claims{
		client: client, prefix: cmp.Or(prefix, "auditwarden:alerts"), sending: make(chan struct{}, maxSending),
	}, nil
}

// key returns the Redis key of an alert. The fingerprint has a fixed length, so that
// keys of different organizations differ.
func (c *Claims) key(k claims.AlertKey) string {
	return c.prefix + ":alert_cooldown:" + k.Organization + ":" + k.Fingerprint.String()
}

// Lookup implements [claims.Set]. If it fails it returns no claims.
func (c *Claims) Lookup(ctx context.Context, keys []claims.AlertKey) ([]claims.Claim, error) {
	p := c.client.Pipeline()
	responses := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		responses[i] = p.Get(ctx, c.key(key))
	}
	if err := c.send(ctx, p); err != nil {
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

// Claim implements [claims.Set]. If it fails, some of the claims may have been set. A
// ttl of less than a millisecond counts as one.
func (c *Claims) Claim(ctx context.Context, made []claims.Claim, ttl time.Duration) error {
	p := c.client.Pipeline()
	for _, claim := range made {
		p.Set(ctx, c.key(claim.AlertKey), encode(claim.Severity, claim.AlertID), max(ttl, time.Millisecond))
	}
	if err := c.send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: make claims: %w", err)
	}
	return nil
}

// Release implements [claims.Set].
func (c *Claims) Release(ctx context.Context, key claims.AlertKey) error {
	p := c.client.Pipeline()
	p.Del(ctx, c.key(key))
	if err := c.send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: release claim: %w", err)
	}
	return nil
}

// send sends the commands of a pipeline and waits for the responses until ctx ends.
// It does so itself, since go-redis ignores ctx unless ContextTimeoutEnabled is set.
// What is sent then ends with the time-outs of the client, or with the client.
func (c *Claims) send(ctx context.Context, p redis.Pipeliner) error {
	select {
	case c.sending <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-c.sending }()
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

// failure returns err, unless err means that a key does not exist or is not a string.
func failure(err error) error {
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	return err
}
