package monitor

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// slowVerification is how long an attempt to verify an event takes that is not made
// for others with the same key as long as it decides nothing.
const slowVerification = 100 * time.Millisecond

// slowKeys knows the keys for which the last attempt to verify took long and decided
// nothing.
type slowKeys struct {
	some atomic.Bool
	mu   sync.Mutex
	ids  map[string]bool
}

func (s *slowKeys) has(id string) bool {
	if !s.some.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id]
}

// note notes the result of an attempt.
func (s *slowKeys) note(id string, slow bool) {
	const most = 1024 // the ID may be made up
	if !slow && !s.some.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !slow:
		delete(s.ids, id)
	case len(s.ids) < most:
		if s.ids == nil {
			s.ids = map[string]bool{}
		}
		s.ids[strings.Clone(id)] = true
	}
	s.some.Store(len(s.ids) > 0)
}
