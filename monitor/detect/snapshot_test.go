package detect_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func snapshot(t testing.TB, en *detect.Engine) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := en.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRestore stops an engine in the middle of a stream, and compares how
// another one goes on.
func TestRestore(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	es := shuffled(random, randomEvents(random, 600), 30*time.Millisecond)
	options := &detect.Options{Rules: mixedRules()}
	first := newTrail(t, options)
	first.lateness = 30 * time.Millisecond
	first.add(es[:300]...)

	second := newTrail(t, options)
	second.add(es[:100]...) // what the engine held before is gone
	if err := second.engine.Restore(iotest.OneByteReader(bytes.NewReader(snapshot(t, first.engine)))); err != nil {
		t.Fatal(err)
	}
	if got, want := second.engine.Stats(), first.engine.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("restored %+v, want %+v", got, want)
	}
	numbers := map[uint64]string{}
	n := 0
	for _, e := range es[300:] {
		a := first.arrival(e)
		want := detectOne(first.engine, e, a)
		a.Sequence -= 300 // another monitor begins to count again
		got := detectOne(second.engine, e, a)
		n += len(want)
		if !slices.Equal(lines(got), lines(want)) {
			t.Fatalf("goes on with\n%q, want\n%q", lines(got), lines(want))
		}
		for i, f := range got {
			for j, ref := range f.References {
				if ref.ID != want[i].References[j].ID {
					t.Errorf("reference to event %q, want %q", ref.ID, want[i].References[j].ID)
				}
				if id, known := numbers[ref.Sequence]; known && id != ref.ID {
					t.Errorf("events %q and %q have the same number", id, ref.ID)
				}
				numbers[ref.Sequence] = ref.ID
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d findings to compare", n)
	}
	// A snapshot of a restored engine restores as well.
	third := newTrail(t, options)
	if err := third.engine.Restore(bytes.NewReader(snapshot(t, second.engine))); err != nil {
		t.Fatal(err)
	}
	if got, want := third.engine.Stats(), second.engine.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("restored %+v, want %+v", got, want)
	}
}

// TestRestoreOtherRules shows which windows fit which rules, with overrides.
func TestRestoreOtherRules(t *testing.T) {
	t.Parallel()
	rule := func(name, version string) detect.Rule {
		return detect.Rule{Name: name, Version: version, Match: any1, Threshold: 2, Window: time.Minute}
	}
	before := newTrail(t, &detect.Options{Rules: []detect.Rule{
		rule("same", "1"), rule("version", "1"), rule("gone", "1"), rule("kind", "1"),
	}})
	e := at(0, "x", strings.Repeat("u", 100))
	before.add(e)
	kind := rule("kind", "1")
	kind.Distinct = func(e *monitor.Event) string { return e.Timestamp.String() }
	after := newTrail(t, &detect.Options{
		Rules:     []detect.Rule{rule("new", "1"), kind, rule("version", "2"), rule("same", "1"), {Name: "stateless", Match: any1}},
		Overrides: map[string]detect.Override{"org-1": {Rules: map[string]detect.RuleOverride{"stateless": {Disabled: true}}}},
	})
	if err := after.engine.Restore(bytes.NewReader(snapshot(t, before.engine))); err != nil {
		t.Fatal(err)
	}
	wantLines(t, after.add(e), "same org-1/"+e.PrincipalID+" 2 +0s")
}

// TestRestoreCaps restores into an engine with less room: the newest events of
// the groups that were touched last.
func TestRestoreCaps(t *testing.T) {
	t.Parallel()
	rules := []detect.Rule{{Name: "r", Match: any1, Threshold: 3, Window: time.Minute}}
	before := newTrail(t, &detect.Options{Rules: rules, MaxKeys: 3})
	for i := range 5 {
		for _, who := range []string{"a", "b", "c"} {
			before.add(at(time.Duration(i)*time.Second, "x", who))
		}
	}
	after := newTrail(t, &detect.Options{Rules: rules, MaxKeys: 2, MaxEventsPerKey: 3})
	if err := after.engine.Restore(bytes.NewReader(snapshot(t, before.engine))); err != nil {
		t.Fatal(err)
	}
	if s := after.engine.Stats()[0]; s.Keys != 2 || s.Events != 6 {
		t.Errorf("%+v, want 2 groups of 3 events", s)
	}
	again := newTrail(t, &detect.Options{Rules: rules})
	if err := again.engine.Restore(bytes.NewReader(snapshot(t, after.engine))); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*trail{after, again} { // what was cut off is remembered
		x := tr.engine.Explain(at(5*time.Second, "x", "b"), monitor.Arrival{OrganizationID: "org-1"})
		if x[0].Count != 4 || !x[0].AtLeast {
			t.Errorf("%+v, want at least 4", x[0])
		}
	}
	wantLines(t, after.add(at(5*time.Second, "x", "c")), "r org-1/c >=3 +5s")
}

func TestRestoreErrors(t *testing.T) {
	t.Parallel()
	rules := []detect.Rule{
		{Name: "r", Match: any1, Threshold: 2, Window: time.Minute},
		{Name: "d", Match: any1, Distinct: func(e *monitor.Event) string { return e.Action }, Threshold: 2, Window: time.Minute},
	}
	full := newTrail(t, &detect.Options{Rules: rules})
	full.add(at(0, "x", "u"), at(time.Second, "x", "u"))
	good := snapshot(t, full.engine)
	tr := newTrail(t, &detect.Options{Rules: rules})
	tr.add(at(0, "x", "u"))
	refuse := func(b []byte, want string) {
		t.Helper()
		err := tr.engine.Restore(bytes.NewReader(b))
		if err == nil || !strings.HasPrefix(err.Error(), "detect: read snapshot: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	header := len("auditwarden windows 1\n")
	for n := range good {
		if n < header {
			refuse(good[:n], "this is no snapshot of version 1")
		} else {
			refuse(good[:n], "it ends too early")
		}
	}
	for i := range good {
		damaged := slices.Clone(good)
		damaged[i] ^= 4
		refuse(damaged, "")
	}
	refuse(append(slices.Clone(good), 0), "it goes on after its end")
	refuse(append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1), "the checksum is wrong")

	// signed returns a snapshot with this content and a right checksum.
	signed := func(parts ...any) []byte {
		b := slices.Clone(good[:header])
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
			case int:
				b = binary.AppendUvarint(b, uint64(p))
			case int64:
				b = binary.AppendVarint(b, p)
			case uint64:
				b = binary.AppendUvarint(b, p)
			}
		}
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	const end = 0
	lost := int64(-1)
	group := func(events ...any) []byte {
		return signed(slices.Concat([]any{1, "r", "", 1, "", 1, "org", "u", lost}, events, []any{end, end, end})...)
	}
	event := []any{1, int64(5), 1, "id"}
	refuse(signed(2), "2 is neither a further element nor an end")
	refuse(signed(1, "r", "", 9, ""), "9 is no kind of rule")
	refuse(signed(1, "r", "", 0, ""), "0 is no kind of rule")
	refuse(signed(1, "r", "", 1<<20, ""), "1048576 is no kind of rule")
	refuse(signed(1, 1<<21), "a text of 2097152 bytes is too long")
	refuse(signed(1, "r", "", 1, "", end, 1, "r", "", 1, "", end, end), `rule "r" is there twice`)
	refuse(group(), "a group has no events")
	refuse(group(1, int64(5), 1, "id", 1, uint64(1<<63), 2, "id"), "a timestamp is out of range")
	refuse(signed(slices.Concat([]any{1, "r", "", 1, "", 1, "org", "u", lost}, event, []any{end, 1, "org", "u", lost}, event, []any{end, end, end})...),
		`group "u" of organization "org" is there twice`)
	overlong := append(slices.Clone(good[:header]), bytes.Repeat([]byte{0xff}, 11)...)
	refuse(append(overlong[:header+1:header+1], bytes.Repeat([]byte{0xff}, 11)...), "")
	refuse(append(append(slices.Clone(good[:header]), 1), bytes.Repeat([]byte{0xff}, 11)...), "overflows")

	err := tr.engine.Restore(iotest.ErrReader(io.ErrClosedPipe))
	if err == nil {
		t.Error("a reader that fails restores")
	}
	err = tr.engine.Restore(io.MultiReader(bytes.NewReader(good[:header+3]), iotest.ErrReader(io.ErrClosedPipe)))
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the reader's error", err)
	}
	// After all that the engine is as it was.
	wantLines(t, tr.add(at(time.Second, "x", "u")), "r org-1/u 2 +1s")
	// The bytes that were put together by hand are no worse than a real one.
	if err := tr.engine.Restore(bytes.NewReader(group(event...))); err != nil {
		t.Errorf("a good snapshot: %v", err)
	}
}

// failingWriter fails after so many bytes.
type failingWriter struct{ room int }

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

func TestSnapshotErrors(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, nil)
	tr.add(loginFailure(0, "u"))
	size := len(snapshot(t, tr.engine))
	for room := range size {
		if err := tr.engine.Snapshot(&failingWriter{room}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("with room for %d of %d bytes: %v", room, size, err)
		}
	}
	if err := tr.engine.Snapshot(&failingWriter{size}); err != nil {
		t.Error(err)
	}
}

// FuzzRestore checks that no snapshot does harm, and that what is accepted is
// written again the same in substance.
func FuzzRestore(f *testing.F) {
	tr := newTrail(f, &detect.Options{Rules: mixedRules()})
	tr.add(randomEvents(rand.New(rand.NewPCG(1, 1)), 40)...)
	good := snapshot(f, tr.engine)
	f.Add(good)
	f.Add(snapshot(f, newTrail(f, nil).engine))
	f.Add(good[:len(good)/2])
	f.Add([]byte("auditwarden windows 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// With its checksum repaired, the input reaches further.
		repaired := slices.Clone(b)
		if n := len(b) - 4; n >= 0 {
			binary.BigEndian.PutUint32(repaired[n:], crc32.ChecksumIEEE(b[:n]))
		}
		for _, b := range [][]byte{b, repaired} {
			one := newTrail(t, &detect.Options{Rules: mixedRules()})
			if one.engine.Restore(bytes.NewReader(b)) != nil {
				continue
			}
			two := newTrail(t, &detect.Options{Rules: mixedRules()})
			if err := two.engine.Restore(bytes.NewReader(snapshot(t, one.engine))); err != nil {
				t.Fatalf("what was restored cannot be restored again: %v", err)
			}
			if got, want := two.engine.Stats(), one.engine.Stats(); !reflect.DeepEqual(got, want) {
				t.Errorf("restored %+v, want %+v", got, want)
			}
			one.add(randomEvents(rand.New(rand.NewPCG(2, 2)), 20)...)
		}
	})
}
