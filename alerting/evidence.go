package alerting

import (
	"errors"
	"fmt"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
)

// decodeEvidence returns the events of evidence by their timestamps, and an error about
// those that cannot be read.
func decodeEvidence(texts []string) (es []*monitor.Event, err error) {
	var wrong []error
	for i, text := range texts {
		e := &monitor.Event{}
		if err := monitor.DecodeEvent([]byte(text), e); err != nil {
			wrong = append(wrong, fmt.Errorf("event %d: %w", i, err))
			continue
		}
		es = append(es, e)
	}
	slices.SortStableFunc(es, func(a, b *monitor.Event) int { return a.Timestamp.Compare(b.Timestamp) })
	return es, errors.Join(wrong...)
}
