package monitor

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
)

// digest is a hash of everything in the event but its ID and organization, which
// the cache knows it by, and the text of its timestamp, which stores and queues
// may rewrite. The seed is new in every process.
func (e *Event) digest(seed maphash.Seed) uint64 {
	d := digester{seed: seed}
	d.add(uint64(e.Timestamp.UnixNano()))
	for _, text := range e.texts() {
		d.string(text)
	}
	d.add(uint64(e.RecordCount))
	if len(e.Details) > 0 {
		d.add(1 ^ d.value(e.Details))
	}
	if len(e.Session.Details) > 0 {
		d.add(2 ^ d.value(e.Session.Details))
	}
	return d.sum
}

type digester struct {
	seed maphash.Seed
	sum  uint64
}

func (d *digester) add(v uint64) { d.sum = (d.sum<<5 | d.sum>>59) ^ v*0x9e3779b97f4a7c15 }

func (d *digester) string(s string) {
	if s == "" {
		d.add(1)
		return
	}
	d.add(maphash.String(d.seed, s))
}

// value hashes a JSON value. The order of an object's fields does not matter.
func (d *digester) value(v any) uint64 {
	n := digester{seed: d.seed}
	switch v := v.(type) {
	case map[string]any:
		var fields uint64
		for k, x := range v {
			f := digester{seed: d.seed}
			f.string(k)
			f.add(f.value(x))
			fields += f.sum
		}
		n.add(2)
		n.add(fields)
	case []any:
		n.add(3)
		n.add(uint64(len(v)))
		for _, x := range v {
			n.add(n.value(x))
		}
	case string:
		n.add(4)
		n.string(v)
	case json.Number:
		n.add(5)
		n.string(v.String())
	default:
		n.add(6)
		n.string(fmt.Sprint(v))
	}
	return n.sum
}
