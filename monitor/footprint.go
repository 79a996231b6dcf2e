package monitor

import "encoding/json"

// placeSize is the memory, in bytes, for which one event is counted. A larger one
// counts as several.
const placeSize = 8 << 10

// places returns how many events this one counts as, where a capacity is a number
// of events.
func (e *Event) places() int { return (e.footprint() + placeSize - 1) / placeSize }

// footprint estimates the memory that the event keeps in use, in bytes. Small
// values in JSON take many times their text: "[]" is a slice, "{}" is a map.
func (e *Event) footprint() int {
	const itself = 640
	texts := len(e.ID) + len(e.OrganizationID) + len(e.timestampText)
	for _, text := range e.texts() {
		texts += len(text)
	}
	structure := 0
	if e.Details != nil {
		footprintOf(e.Details, &texts, &structure)
	}
	if e.Session.Details != nil {
		footprintOf(e.Session.Details, &texts, &structure)
	}
	// The strings of a decoded event share its text, which lives as long as one.
	return itself + structure + max(texts, e.textSize)
}

// footprintOf adds the size of a JSON value to that of texts and of what holds them.
func footprintOf(v any, texts, structure *int) {
	const (
		header    = 16 // of a string, in an interface
		slice     = 24
		element   = 16
		emptyMap  = 48
		smallMap  = 288 // up to eight fields
		field     = 80
		mapFields = 8
	)
	switch v := v.(type) {
	case string:
		*texts += len(v)
		*structure += header
	case json.Number:
		*texts += len(v)
		*structure += header
	case []any:
		*structure += slice + element*cap(v)
		for _, x := range v {
			footprintOf(x, texts, structure)
		}
	case map[string]any:
		*structure += emptyMap
		switch {
		case len(v) > mapFields:
			*structure += field * len(v)
		case len(v) > 0:
			*structure += smallMap
		}
		for k, x := range v {
			*texts += len(k)
			footprintOf(x, texts, structure)
		}
	case nil, bool:
	default:
		*structure += element
	}
}
