package memalerts

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/monitor"
)

// StoreOccurrences implements [driver.Store]. It stores all occurrences, or none if
// one of them is invalid. For each fingerprint it remembers at least the last 4,096
// event keys; Health says how many it had to forget.
func (s *Store) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	for i, o := range os {
		if err := o.Validate(); err != nil {
			return nil, fmt.Errorf("number %d: %w", i, err)
		}
	}
	ds := s.dispositions(len(os))
	for i := 0; i < len(os); {
		name := os[i].Finding.OrganizationID
		org := s.holdNew(name)
		for end := min(len(os), i+few); i < end && os[i].Finding.OrganizationID == name; i++ {
			ds[i] = org.add(os[i], s.clock.now())
		}
		s.release(ctx, org)
		s.makeRoom(ctx)
	}
	return ds, nil
}

// dispositions returns a slice of length n. It is cut from a slab that is never
// reused, so that the caller may keep it and a repeat rarely allocates.
func (s *Store) dispositions(n int) []monitor.Disposition {
	const slab = 64
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.slab) < n {
		s.slab = make([]monitor.Disposition, max(n, slab))
	}
	ds := s.slab[:n:n]
	s.slab = s.slab[n:]
	return ds
}
