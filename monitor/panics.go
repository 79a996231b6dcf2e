package monitor

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// panicInterval is the least time between two log records of a port that panics.
const panicInterval = time.Minute

// panics logs the panics of ports whose answer nobody needs: the collector of
// metrics, the tracer, and what reports health. The work goes on.
type panics struct {
	logger *slog.Logger
	mu     sync.Mutex
	ports  map[string]*panicked
}

// panicked counts the panics of a port.
type panicked struct {
	count  int64
	logged time.Time
}

// note logs what a port's panic was recovered with: the first one, and from then on
// how many there were.
func (p *panics) note(ctx context.Context, port string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ports == nil {
		p.ports = map[string]*panicked{}
	}
	of := p.ports[port]
	if of == nil {
		of = &panicked{}
		p.ports[port] = of
	}
	of.count++
	if now := time.Now(); now.Sub(of.logged) >= panicInterval {
		of.logged = now
		p.logger.LogAttrs(ctx, slog.LevelError, "port panicked",
			slog.String("port", port), slog.Int64("panics", of.count), slog.Any("error", recovered(port, value)))
	}
}
