package check_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
)

// recorder is a test that records its failures.
type recorder struct {
	testing.TB
	failures []string
	stopped  bool
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.stopped = true
}

// wantFailure expects one failure with these texts, or none without any.
func wantFailure(t *testing.T, name string, f func(r *recorder), texts ...string) {
	t.Helper()
	var r recorder
	f(&r)
	if (len(r.failures) == 1) != (len(texts) > 0) || len(r.failures) > 1 {
		t.Errorf("%s: failures %q, want one with %q", name, r.failures, texts)
	}
	for _, text := range texts {
		if !strings.Contains(strings.Join(r.failures, ""), text) {
			t.Errorf("%s: failures %q lack %q", name, r.failures, text)
		}
	}
}

type pair struct {
	Name  string
	inner *pair
	Tags  []string
	Notes map[string]int
}

func TestEqual(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ring := &pair{}
	ring.inner = ring
	otherRing := &pair{Name: "a", inner: &pair{Name: "b"}}
	otherRing.inner.inner = otherRing
	for name, test := range map[string]struct {
		got, want any
		texts     []string
	}{
		"numbers":        {1, 1, nil},
		"other number":   {1, 2, []string{"other number: \n     got 1\n    want 2"}},
		"other type":     {1, "1", []string{"got 1", `want "1"`}},
		"nothing":        {nil, nil, nil},
		"nil and empty":  {[]int(nil), []int{}, []string{"got []"}},
		"a nil":          {(*pair)(nil), &pair{}, []string{"got <nil>"}},
		"field":          {pair{Name: "a\nb"}, pair{Name: "c"}, []string{".Name\n     got \"a\\nb\"\n    want \"c\""}},
		"inner":          {&pair{inner: &pair{Name: "a"}}, &pair{inner: &pair{}}, []string{".inner.Name\n     got \"a\""}},
		"element":        {[]string{"a", "b"}, []string{"a", "c"}, []string{`[1]`, `got "b"`, `want "c"`}},
		"longer":         {[]string{"a", "b"}, []string{"a"}, []string{`[1]`, `got "b"`, "want nothing"}},
		"shorter":        {pair{Tags: []string{"a"}}, pair{Tags: []string{"a", "b"}}, []string{`.Tags[1]`, "got nothing", `want "b"`}},
		"map":            {map[string]int{"a": 1}, map[string]int{"a": 1}, nil},
		"value in a map": {map[string]int{"a": 1, "b": 2}, map[string]int{"a": 1, "b": 3}, []string{`["b"]`, "got 2", "want 3"}},
		"moment in it":   {[]time.Time{now}, []time.Time{now.Add(time.Second)}, []string{"[0]", "03:04:05"}},
		"rings":          {ring, otherRing, []string{".Name"}},
		"functions":      {func() {}, func() {}, []string{"got 0x"}},
		"many":           {make([]int, 50), []int(nil), []string{"got []int\n    want []", "[0]\n     got 0\n    want nothing"}},
		"many elements":  {make([]int, 50), make([]string, 50), []string{"got []int\n    want []string", "and 31 more"}},
		"long":           {strings.Repeat("a", 2000), "b", []string{"aaa\n    want \"b\""}},
		"errors":         {io.EOF, fs.ErrExist, []string{".s", `"EOF"`}},
		"moments":        {now, now.Add(time.Second), []string{"03:04:05", "03:04:06"}},
	} {
		wantFailure(t, name, func(r *recorder) { check.Equal(r, name, test.got, test.want) }, test.texts...)
	}
	wantFailure(t, "other keys", func(r *recorder) {
		check.Equal(r, "maps", map[string]int{"a": 1}, map[string]int{"b": 2})
	}, "[\"a\"]\n     got 1\n    want nothing", "[\"b\"]\n     got nothing\n    want 2")
	wantFailure(t, "same moment", func(r *recorder) {
		check.Equal(r, "time", now, now.In(time.FixedZone("CET", 3600)))
	})
	wantFailure(t, "lines", func(r *recorder) {
		check.Equal(r, "slices", make([]int, 50), []int{7, 49: 0})
	}, "[0]\n     got 0\n    want 7")
	wantFailure(t, "many differences", func(r *recorder) {
		check.Equal(r, "slices", make([]int, 50), make([]int, 5))
	}, "[24]\n     got 0\n    want nothing", "and 25 more")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	missing := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	wrapped := fmt.Errorf("load: %w", missing)
	for name, test := range map[string]struct {
		check func(r *recorder)
		texts []string
	}{
		"is":             {func(r *recorder) { check.ErrorIs(r, "x", wrapped, fs.ErrNotExist) }, nil},
		"is nil":         {func(r *recorder) { check.ErrorIs(r, "x", nil, nil) }, nil},
		"is not":         {func(r *recorder) { check.ErrorIs(r, "x", wrapped, io.EOF) }, []string{"x:", "got error load: open x", "want error EOF"}},
		"is not nil":     {func(r *recorder) { check.ErrorIs(r, "x", wrapped, nil) }, []string{"want error <nil>"}},
		"as":             {func(r *recorder) { check.Equal(r, "x", check.ErrorAs[*fs.PathError](r, "x", wrapped), missing) }, nil},
		"as another":     {func(r *recorder) { check.ErrorAs[*fs.PathError](r, "x", io.EOF) }, []string{"x:", "EOF (*errors.errorString)", "*fs.PathError"}},
		"text":           {func(r *recorder) { check.ErrorText(r, "x", wrapped, "load", "open") }, nil},
		"any text":       {func(r *recorder) { check.ErrorText(r, "x", wrapped) }, nil},
		"other text":     {func(r *recorder) { check.ErrorText(r, "x", wrapped, "load", "read") }, []string{"x:", `"load: open x`, `"read"`}},
		"text of no one": {func(r *recorder) { check.ErrorText(r, "x", nil) }, []string{"x: no error"}},
		"no error":       {func(r *recorder) { check.NoError(r, "x", nil) }, nil},
		"an error":       {func(r *recorder) { check.NoError(r, "x", io.EOF) }, []string{"x: unexpected error: EOF"}},
		"must":           {func(r *recorder) { check.Equal(r, "x", check.Must(7, nil)(r), 7) }, nil},
		"must not":       {func(r *recorder) { check.Must(7, errors.New("seven"))(r) }, []string{"unexpected error: seven"}},
	} {
		wantFailure(t, name, test.check, test.texts...)
	}
}

// TestStops checks which checks end the test that they fail.
func TestStops(t *testing.T) {
	t.Parallel()
	var r recorder
	check.Equal(&r, "x", 1, 2)
	check.ErrorIs(&r, "x", io.EOF, nil)
	check.ErrorText(&r, "x", nil)
	check.Equal(t, "stopped", r.stopped, false)
	for name, f := range map[string]func(r *recorder){
		"Must":    func(r *recorder) { check.Must(0, io.EOF)(r) },
		"NoError": func(r *recorder) { check.NoError(r, "x", io.EOF) },
		"ErrorAs": func(r *recorder) { check.ErrorAs[*fs.PathError](r, "x", io.EOF) },
	} {
		var r recorder
		f(&r)
		check.Equal(t, name+" stopped", r.stopped, true)
	}
}
