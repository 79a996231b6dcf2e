package alerting

import (
	"slices"
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// A held has copies of repeats, oldest first. They share no memory with the events that
// they were made of, so that a short string does not keep a large event in memory.
type held struct {
	occurrences []monitor.Occurrence
	references  []monitor.EventRef // of all their findings
	text        strings.Builder    // their strings
}

// add adds a copy of an occurrence. It rarely allocates.
func (h *held) add(o *monitor.Occurrence) {
	n := len(h.references)
	h.references = append(h.references, o.Finding.References...)
	h.occurrences = append(h.occurrences, *o)
	added := &h.occurrences[len(h.occurrences)-1]
	added.Finding.References = slices.Clip(h.references[n:])
	for _, s := range texts(added) {
		*s = h.clone(*s)
	}
	for i := range added.Finding.References {
		added.Finding.References[i].ID = h.clone(added.Finding.References[i].ID)
	}
}

// clone copies a string to the current block of text. A block that is full is left to
// the strings in it.
func (h *held) clone(s string) string {
	const block = 1 << 10
	n := h.text.Len()
	if h.text.Cap()-n < len(s) {
		h.text.Reset()
		h.text.Grow(max(len(s), block))
		n = 0
	}
	h.text.WriteString(s)
	return h.text.String()[n:]
}

// drop removes the oldest repeats. A caller may still read those that it has got.
func (h *held) drop(n int) {
	if n == len(h.occurrences) {
		*h = held{}
		return
	}
	h.occurrences = slices.Clone(h.occurrences[n:])
}

// texts returns the strings of an occurrence, without those of the references.
func texts(o *monitor.Occurrence) [11]*string {
	f := &o.Finding
	return [...]*string{
		&f.Rule, &f.OrganizationID, &f.Key, &f.KeyField, &f.Event.ID, &f.CompletedBy.ID, &f.Technique, &f.Detail,
		&o.Source, &o.CorrelationID, &o.Evidence,
	}
}

// placesOf returns how many places of the buffer a repeat needs: one for each 8 KiB, or
// a part of it, of its strings and references.
func placesOf(o *monitor.Occurrence) int {
	const place, reference = 8 << 10, 64
	size := len(o.Finding.References) * reference
	for _, s := range texts(o) {
		size += len(*s)
	}
	for i := range o.Finding.References {
		size += len(o.Finding.References[i].ID)
	}
	return 1 + size/place
}
