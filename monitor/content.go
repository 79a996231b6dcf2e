package monitor

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
)

// digest is a hash of everything in the event, seeded anew in every process.
func (e *Event) digest(seed maphash.Seed) uint64 {
	d := digester{seed: seed}
	d.add(uint64(e.Timestamp.UnixNano()))
	d.string(e.Action)
	d.string(string(e.Status))
	d.string(e.PrincipalID)
	d.string(e.TargetResourceType)
	d.string(e.TargetResourceID)
	d.string(e.OutcomeDescription)
	d.string(e.Session.ID)
	d.string(e.Session.IPAddress)
	d.string(e.Session.UserAgent)
	d.string(e.Session.Geolocation)
	d.string(e.CorrelationID)
	d.string(e.EventVersion)
	d.string(e.RetentionPolicy)
	d.string(string(e.DataClassification))
	d.add(uint64(e.RecordCount))
	d.string(e.Hash)
	d.string(e.Signature)
	if len(e.Details) > 0 {
		d.add(d.value(e.Details))
	}
	if len(e.Session.Details) > 0 {
		d.add(d.value(e.Session.Details))
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
		for k, x := range v {
			f := digester{seed: d.seed}
			f.string(k)
			f.add(f.value(x))
			n.sum += f.sum
		}
	case []any:
		n.add(uint64(len(v)))
		for _, x := range v {
			n.add(n.value(x))
		}
	case string:
		n.add(2)
		n.string(v)
	case json.Number:
		n.add(3)
		n.string(v.String())
	default:
		n.add(4)
		n.string(fmt.Sprint(v))
	}
	return n.sum
}

// Clone returns a copy of the event that shares nothing with it that can
// change.
func (e *Event) Clone() *Event {
	c := *e
	c.Details = cloneObject(e.Details)
	c.Session.Details = cloneObject(e.Session.Details)
	return &c
}

func cloneObject(m map[string]any) map[string]any {
	c := maps.Clone(m)
	for k, v := range c {
		c[k] = cloneValue(v)
	}
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneObject(v)
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = cloneValue(x)
		}
		return c
	}
	return v
}
