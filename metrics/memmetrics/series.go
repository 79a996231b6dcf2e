package memmetrics

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// A part counts what was recorded with one attribute, or without one.
type part interface {
	record(value int64)
	data() monitor.MetricData
}

// A series is a metric: what was recorded without an attribute, and a part for
// each attribute. A map of parts is never changed once it is published, so that
// recording needs no lock.
type series struct {
	newPart     func() part
	plain       part
	byAttribute atomic.Pointer[map[string]part]
	growing     sync.Mutex
}

// init makes the series of a metric for that many stripes. A histogram that an
// attribute divides has one stripe: it observes what is rare, and a stripe takes
// 15 KB.
func (s *series) init(d monitor.MetricDescription, stripes int) {
	switch d.Kind {
	case monitor.MetricCounter:
		s.newPart = func() part { return make(counter, stripes) }
	case monitor.MetricGauge:
		s.newPart = func() part { return &gauge{} }
	case monitor.MetricHistogram:
		if d.Attribute != "" {
			stripes = 1
		}
		s.newPart = func() part { return make(histogram, stripes) }
	}
	s.plain = s.newPart()
}

// of returns the part of an attribute, which is not empty.
func (s *series) of(attribute string) part {
	if known := s.byAttribute.Load(); known != nil {
		if p, ok := (*known)[attribute]; ok {
			return p
		}
		if p, full := (*known)[metrics.OtherAttribute]; full && len(*known) >= metrics.MaxAttributes {
			return p
		}
	}
	return s.learn(attribute)
}

// learn adds a part for the attribute, or for all others when there are too
// many.
func (s *series) learn(attribute string) part {
	s.growing.Lock()
	defer s.growing.Unlock()
	grown := map[string]part{}
	if known := s.byAttribute.Load(); known != nil {
		grown = maps.Clone(*known)
	}
	if len(grown) >= metrics.MaxAttributes {
		attribute = metrics.OtherAttribute
	}
	p, ok := grown[attribute]
	if !ok {
		p = s.newPart()
		grown[strings.Clone(attribute)] = p
		s.byAttribute.Store(&grown)
	}
	return p
}

func (s *series) data() monitor.MetricData {
	d := s.plain.data()
	if known := s.byAttribute.Load(); known != nil {
		for attribute, p := range *known {
			d.Add(attribute, p.data())
		}
	}
	return d
}

// reset sets counts to zero. A gauge, which is a state and not a count, has none.
func (s *series) reset() {
	if plain, counts := s.plain.(interface{ reset() }); counts {
		plain.reset()
		s.byAttribute.Store(nil)
	}
}
