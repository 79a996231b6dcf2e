package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// The format of a snapshot. Numbers are varints (u: unsigned), strings are
// preceded by their length.
//
//	"auditwarden windows 1\n"
//	for each rule: 1, name, version, u kind, steps
//	    for each group: 1, organization, key, newest lost timestamp
//	        for each event: 1, timestamp (after the first: u, the difference to
//	            the one before), u sequence, [u mark,] ID
//	        0
//	    0
//	0
//	CRC-32 (IEEE) of all that, 4 bytes, big-endian
//
// The mark is there unless the rule just counts events. A long organization or key
// is there as a digest.
const snapshotHeader = "auditwarden windows 1\n"

// maxText is the length of the longest string in a snapshot.
const maxText = 1 << 20

// Snapshot writes the windows of all rules. Each group is written as it is at one
// moment. For this to be the same moment for all groups, no event must be processed
// meanwhile. Events do not wait while w writes.
func (en *Engine) Snapshot(w io.Writer) error {
	sum := crc32.NewIEEE()
	out := io.MultiWriter(w, sum)
	_, err := io.WriteString(out, snapshotHeader)
	for _, r := range en.set.Load().rules {
		if err == nil && r.table != nil {
			err = en.writeRule(out, r)
		}
	}
	if err == nil {
		_, err = out.Write([]byte{0})
	}
	if err == nil {
		_, err = w.Write(sum.Sum(nil))
	}
	if err != nil {
		return fmt.Errorf("detect: write snapshot: %w", err)
	}
	return nil
}

func (en *Engine) writeRule(w io.Writer, r *rule) error {
	b := encoder{1}
	b.string(r.Name)
	b.string(r.Version)
	b = binary.AppendUvarint(b, uint64(r.kind))
	b.string(r.steps)
	for s := range r.table.All() {
		s.Groups(func(organization, key string, g *window.Group) {
			b = append(b, 1)
			b.string(organization)
			b.string(key)
			b.group(g, en.ids)
		})
		s.Unlock()
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err := w.Write(append(b, 0))
	return err
}

type encoder []byte

func (b *encoder) string(s string) {
	*b = append(binary.AppendUvarint(*b, uint64(len(s))), s...)
}

func (b *encoder) group(g *window.Group, ids *window.IDs) {
	*b = binary.AppendVarint(*b, g.Lost())
	for i := range g.Len() {
		st := g.At(i)
		*b = append(*b, 1)
		if i == 0 {
			*b = binary.AppendVarint(*b, st.Time)
		} else {
			*b = binary.AppendUvarint(*b, uint64(st.Time)-uint64(g.At(i-1).Time))
		}
		*b = binary.AppendUvarint(*b, st.Sequence)
		if g.Marked() {
			*b = binary.AppendUvarint(*b, g.Mark(i))
		}
		b.string(ids.Get(st.Sequence))
	}
	*b = append(*b, 0)
}

// Restore replaces the windows of the engine with those of a snapshot, for rules
// that have the same name and version and count the same as when the snapshot was
// written. It skips what the snapshot holds of other rules, and other rules begin
// with empty windows. The windows continue exactly where they were, within the caps
// of this engine. Restore is meant for an engine that is not in use yet, since events
// that are processed meanwhile may get lost.
//
// The sequence numbers in the snapshot are those of another monitor. Its events get
// numbers that no new event will have, from 1<<64 - 1 downwards.
//
// A damaged or truncated snapshot is an error and changes nothing.
func (en *Engine) Restore(r io.Reader) error {
	en.swap.Lock()
	defer en.swap.Unlock()
	set := en.set.Load()
	text, err := io.ReadAll(r)
	if err == nil {
		d := &decoder{rest: text, ids: en.ids, renumbered: map[uint64]uint64{0: 0}}
		var tables map[stateKey]*window.Table
		if tables, err = d.snapshot(set.rules); err == nil {
			en.set.Store(set.withTables(tables))
			return nil
		}
	}
	return fmt.Errorf("detect: read snapshot: %w", err)
}

// A decoder reads a snapshot. It keeps the first error, and everything that is read
// after it is zero.
type decoder struct {
	rest []byte
	err  error
	ids  *window.IDs
	// renumbered maps the sequence numbers of the snapshot.
	renumbered map[uint64]uint64
}

func (d *decoder) failf(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// take returns the next n bytes, or nil if there are none left.
func (d *decoder) take(n int) []byte {
	if n > len(d.rest) {
		d.failf("it ends too early")
	}
	if d.err != nil {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	return number(d, v, n)
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	return number(d, v, n)
}

// number takes off the n bytes of a number, which is incomplete if n is 0.
func number[T any](d *decoder, v T, n int) (zero T) {
	switch {
	case n == 0:
		n = len(d.rest) + 1
	case n < 0:
		d.failf("a number overflows 64 bits")
	}
	if d.take(n) == nil {
		return zero
	}
	return v
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > maxText {
		d.failf("a text of %d bytes is too long", n)
	}
	return string(d.take(int(n)))
}

// more reads whether there is another element.
func (d *decoder) more() bool {
	b := d.take(1)
	if len(b) == 1 && b[0] > 1 {
		d.failf("%d is neither a further element nor an end", b[0])
	}
	return d.err == nil && b[0] == 1
}

// snapshot reads everything, and returns a table for each of the rules that has
// one.
func (d *decoder) snapshot(rules []*rule) (map[stateKey]*window.Table, error) {
	text := d.rest
	if string(d.take(min(len(snapshotHeader), len(text)))) != snapshotHeader {
		return nil, errors.New("this is no snapshot of version 1")
	}
	own := map[stateKey]*rule{}
	tables := map[stateKey]*window.Table{}
	for _, r := range rules {
		if r.table != nil {
			own[r.stateKey()] = r
			tables[r.stateKey()] = window.NewTable(r.maxKeys)
		}
	}
	read := map[stateKey]bool{}
	for d.more() {
		key := stateKey{name: d.string(), version: d.string()}
		k := d.uvarint()
		key.shape.kind, key.shape.steps = window.Kind(k), d.string()
		if k < uint64(window.Events) || k > uint64(window.Sequence) {
			d.failf("%d is no kind of rule", k)
		}
		if read[key] {
			d.failf("rule %q is there twice", key.name)
		}
		read[key] = true
		d.rule(own[key], tables[key], key.shape.kind)
	}
	content := text[:len(text)-len(d.rest)]
	if sum := d.take(crc32.Size); sum != nil && binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(content) {
		d.failf("the checksum is wrong")
	}
	if len(d.rest) > 0 {
		d.failf("it goes on after its end")
	}
	return tables, d.err
}

// rule reads the groups of a rule into the table, or skips them if there is
// none.
func (d *decoder) rule(r *rule, t *window.Table, k window.Kind) {
	for d.more() {
		organization, key := d.string(), d.string()
		lost := d.varint()
		if t == nil || d.err != nil {
			d.events(nil, k, 0)
			continue
		}
		s, place := t.Lock(organization, key)
		if s.Find(place, organization, key) != nil {
			d.failf("group %q of organization %q is there twice", key, organization)
		} else {
			g := s.Admit(place, organization, key)
			g.Lose(lost)
			d.events(g, k, r.spec.MaxEvents)
			s.Introduce(organization, g.Len())
		}
		s.Unlock()
	}
}

// events reads the events of a group, the newest up to the limit, or skips them
// if there is none.
func (d *decoder) events(g *window.Group, k window.Kind, limit int) {
	var st window.Stamp
	first := true
	for ; d.more(); first = false {
		if first {
			st.Time = d.varint()
		} else {
			previous := st.Time
			st.Time = int64(uint64(previous) + d.uvarint())
			if st.Time < previous {
				d.failf("a timestamp is out of range")
			}
		}
		old := d.uvarint()
		var mark uint64
		if k != window.Events {
			mark = d.uvarint()
		}
		id := d.string()
		if g == nil || d.err != nil {
			continue
		}
		sequence, known := d.renumbered[old]
		if !known {
			// Down from the top, far from the numbers to come.
			sequence = -uint64(len(d.renumbered))
			d.renumbered[old] = sequence
			d.ids.Put(sequence, id)
		}
		st.Sequence = sequence
		g.Insert(st, mark, k, limit)
	}
	if first {
		d.failf("a group has no events")
	}
}
