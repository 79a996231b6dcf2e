package memmetrics

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/metrics"
)

// A counterSet is a metric's counter without attribute and those of its
// attributes. A map of attributes is never changed once it is published, so
// that counting needs no lock.
type counterSet struct {
	plain       counter
	byAttribute atomic.Pointer[map[string]counter]
	growing     sync.Mutex
}

// of returns the counter of an attribute.
func (s *counterSet) of(attribute string) counter {
	if attribute == "" {
		return s.plain
	}
	if known := s.byAttribute.Load(); known != nil {
		if c, ok := (*known)[attribute]; ok {
			return c
		}
		if c, full := (*known)[metrics.OtherAttribute]; full && len(*known) >= metrics.MaxAttributes {
			return c
		}
	}
	return s.learn(attribute)
}

// learn adds a counter for the attribute, or for all others when there are too
// many.
func (s *counterSet) learn(attribute string) counter {
	s.growing.Lock()
	defer s.growing.Unlock()
	grown := map[string]counter{}
	if known := s.byAttribute.Load(); known != nil {
		grown = maps.Clone(*known)
	}
	if len(grown) >= metrics.MaxAttributes {
		attribute = metrics.OtherAttribute
	}
	c, ok := grown[attribute]
	if !ok {
		c = make(counter, len(s.plain))
		grown[strings.Clone(attribute)] = c
		s.byAttribute.Store(&grown)
	}
	return c
}

// read returns the total and its parts by attribute, nil without any.
func (s *counterSet) read() (total int64, parts map[string]int64) {
	total = s.plain.total()
	known := s.byAttribute.Load()
	if known == nil {
		return total, nil
	}
	parts = make(map[string]int64, len(*known))
	for attribute, c := range *known {
		n := c.total()
		parts[attribute] = n
		total += n
	}
	return total, parts
}

func (s *counterSet) reset() {
	s.plain.reset()
	s.byAttribute.Store(nil)
}
