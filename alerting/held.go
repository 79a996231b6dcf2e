package alerting

import (
	"slices"
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// A held has copies of repeats, oldest first. They share no memory with the events that
// they were made of, so that a short string does not keep a large event in memory.
type held struct {
	repeats []*monitor.Occurrence
	// These are blocks of memory for further repeats, their references and strings. A
	// block that is full is left to those that use it.
	occurrences []monitor.Occurrence
	references  []monitor.EventRef
	text        strings.Builder
}

const (
	maxBlock  = 64      // repeats or references, if the organization has as many
	textBlock = 1 << 10 // bytes
)

// add adds a copy of an occurrence. It rarely allocates.
func (h *held) add(o *monitor.Occurrence) {
	block := min(len(h.repeats)+1, maxBlock)
	if len(h.occurrences) == cap(h.occurrences) {
		h.occurrences = make([]monitor.Occurrence, 0, block)
	}
	h.occurrences = append(h.occurrences, *o)
	added := &h.occurrences[len(h.occurrences)-1]
	h.repeats = append(h.repeats, added)
	for _, s := range texts(added) {
		*s = h.clone(*s)
	}
	n := len(o.Finding.References)
	if n > cap(h.references)-len(h.references) {
		h.references = make([]monitor.EventRef, 0, max(n, block))
	}
	h.references = append(h.references, o.Finding.References...)
	added.Finding.References = slices.Clip(h.references[len(h.references)-n:])
	for i := range added.Finding.References {
		added.Finding.References[i].ID = h.clone(added.Finding.References[i].ID)
	}
}

// clone copies a string to the block of text.
func (h *held) clone(s string) string {
	if h.text.Cap()-h.text.Len() < len(s) {
		h.text.Reset()
		h.text.Grow(max(len(s), textBlock))
	}
	n := h.text.Len()
	h.text.WriteString(s)
	return h.text.String()[n:]
}

// drop removes the oldest repeats. A caller may still read those that it has got.
func (h *held) drop(n int) {
	if n == len(h.repeats) {
		*h = held{}
		return
	}
	h.repeats = slices.Clone(h.repeats[n:])
}

// texts returns the strings of an occurrence, without those of the references.
func texts(o *monitor.Occurrence) [10]*string {
	f := &o.Finding
	return [...]*string{
		&f.Rule, &f.OrganizationID, &f.Key, &f.KeyField, &f.Event.ID, &f.CompletedBy.ID, &f.Technique, &f.Detail,
		&o.Source, &o.CorrelationID,
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
