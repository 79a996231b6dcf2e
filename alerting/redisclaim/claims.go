package redisclaim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
)

// Options are the settings of [Claims]. The zero value of each is its default.
type Options struct {
	// Prefix tells services that share a Redis apart; instances of one service
	// have the same. Default: auditwarden:alerts.
	Prefix string
}

// Claims are [alerting.Claims] in Redis. They are safe for concurrent use.
type Claims struct {
	client redis.UniversalClient
	prefix string
}

var _ alerting.Claims = (*Claims)(nil)

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

// key returns the key of an incident. The fingerprint has a fixed length, so that
// no organization has the key of another.
func (c *Claims) key(i alerting.Incident) string {
	return c.prefix + ":alert_cooldown:" + i.Organization + ":" + i.Fingerprint.String()
}

// Lookup implements [alerting.Claims]. With an error there are no claims.
func (c *Claims) Lookup(ctx context.Context, incidents []alerting.Incident) ([]alerting.Claim, error) {
	p := c.client.Pipeline()
	answers := make([]*redis.StringCmd, len(incidents))
	for i, incident := range incidents {
		answers[i] = p.Get(ctx, c.key(incident))
	}
	if err := send(ctx, p); err != nil {
		return nil, fmt.Errorf("redisclaim: look up claims: %w", err)
	}
	var claims []alerting.Claim
	for i, answer := range answers {
		if severity, id, ok := decode(answer.Val()); ok {
			claims = append(claims, alerting.Claim{Incident: incidents[i], AlertID: id, Severity: severity})
		}
	}
	return claims, nil
}

// Claim implements [alerting.Claims]. After an error some may be made. A claim
// lasts for a millisecond at least.
func (c *Claims) Claim(ctx context.Context, claims []alerting.Claim, ttl time.Duration) error {
	p := c.client.Pipeline()
	for _, claim := range claims {
		p.Set(ctx, c.key(claim.Incident), encode(claim.Severity, claim.AlertID), max(ttl, time.Millisecond))
	}
	if err := send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: make claims: %w", err)
	}
	return nil
}

// Release implements [alerting.Claims].
func (c *Claims) Release(ctx context.Context, incident alerting.Incident) error {
	p := c.client.Pipeline()
	p.Del(ctx, c.key(incident))
	if err := send(ctx, p); err != nil {
		return fmt.Errorf("redisclaim: release claim: %w", err)
	}
	return nil
}

// send sends what is in a pipeline and waits for the answers, but no longer than
// ctx wants: go-redis itself does, unless told otherwise.
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
