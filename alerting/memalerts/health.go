package memalerts

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// lossWarning is how long Health warns after open alerts or event keys were given up.
const lossWarning = time.Hour

// Health implements [monitor.HealthReporter]. It warns for an hour after open alerts or
// event keys had to be given up.
func (s *Store) Health(context.Context) []monitor.ComponentHealth {
	r := &s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := &r.lost
	h := monitor.ComponentHealth{Name: "memory", LastFailure: lost.at}
	if !lost.at.IsZero() && time.Since(lost.at) < lossWarning {
		h.Status = monitor.HealthWarning
		h.Message = fmt.Sprintf("%d open alerts evicted, %d event keys forgotten early, %d MiB used",
			lost.open, lost.keys, r.budget.used>>20)
	}
	return []monitor.ComponentHealth{h}
}
