package detect

import (
	"crypto/sha256"
	"encoding/binary"
)

// values is the tally of a rule that counts distinct values: how often each is
// in the window.
type values struct{ times map[uint64]int }

func (v *values) reset() {
	if v.times == nil {
		v.times = map[uint64]int{}
	}
	clear(v.times)
}

func (v *values) enter(_, _ int64, mark uint64) int {
	v.times[mark]++
	return len(v.times)
}

func (v *values) leave(mark uint64) {
	if v.times[mark]--; v.times[mark] <= 0 {
		delete(v.times, mark)
	}
}

// hashValue returns the mark of a value: the first 64 bits of its SHA-256. A
// cryptographic hash without a secret, so that nobody can choose values that
// count as one, and snapshots can be read by another process.
func hashValue(value string) uint64 {
	var room [128]byte
	sum := sha256.Sum256(append(room[:0], value...))
	return binary.BigEndian.Uint64(sum[:])
}
