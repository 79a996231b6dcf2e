package memalerts

import (
	"slices"
	"strings"

	"github.com/auditwarden/auditwarden/alerting/driver"
)

// evidence is what is kept of the events of an alert.
type evidence struct {
	texts []string
	bytes int64 // of the texts
}

// evidenceSize is the bytes that a text takes besides its own.
const evidenceSize = 32

// add keeps a text unless there is too much, and returns the bytes that it takes.
func (e *evidence) add(text string) (size int64) {
	if !driver.KeepsEvidence(len(e.texts), e.bytes, text) {
		return 0
	}
	e.texts = append(e.texts, strings.Clone(text))
	e.bytes += int64(len(text))
	return int64(evidenceSize + len(text))
}

// erase deletes the texts that have a name, and returns how many, and the bytes that
// they took.
func (e *evidence) erase(name string) (erased int, size int64) {
	e.texts = slices.DeleteFunc(e.texts, func(text string) bool {
		if !driver.NamesIn(text, name) {
			return false
		}
		erased++
		e.bytes -= int64(len(text))
		size += int64(evidenceSize + len(text))
		return true
	})
	return erased, size
}
