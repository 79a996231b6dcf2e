package monitor_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	type test struct {
		change func(e *monitor.Event)
		field  string
		want   string
	}
	tests := map[string]test{
		"no timestamp":   {func(e *monitor.Event) { e.Timestamp = time.Time{} }, "timestamp", "missing"},
		"year 1":         {func(e *monitor.Event) { e.Timestamp = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC) }, "timestamp", "year 1 "},
		"year 1677":      {func(e *monitor.Event) { e.Timestamp = time.Date(1677, 12, 31, 23, 59, 59, 0, time.UTC) }, "timestamp", "year 1677 "},
		"year 2262":      {func(e *monitor.Event) { e.Timestamp = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC) }, "timestamp", "year 2262 "},
		"no action":      {func(e *monitor.Event) { e.Action = "" }, "action", "missing"},
		"no status":      {func(e *monitor.Event) { e.Status = "" }, "status", "missing"},
		"unknown status": {func(e *monitor.Event) { e.Status = "SUCCESS" }, "status", "SUCCESS"},
		"negative count": {func(e *monitor.Event) { e.RecordCount = math.MinInt64 }, "recordCount", "negative"},
	}
	for field, place := range eventTexts {
		tests[field+" encoding"] = test{func(e *monitor.Event) { *place(e) = "a\xffb" }, field, "UTF-8"}
		tests[field+" size"] = test{func(e *monitor.Event) { *place(e) = strings.Repeat("x", monitor.MaxFieldSize+1) }, field, "too large"}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeEvent(t, typicalEvent)
			test.change(e)
			err := e.Validate()
			var invalid *monitor.InvalidEventError
			if !errors.As(err, &invalid) || invalid.Field != test.field || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one for %q with %q", err, test.field, test.want)
			}
			if got := errors.Is(err, monitor.ErrTooLarge); got != (test.want == "too large") {
				t.Errorf("errors.Is(%v, ErrTooLarge) is %t", err, got)
			}
		})
	}
}

func TestValidateAccepts(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]monitor.Event{
		"least":  {Timestamp: time.Unix(0, 0), Action: "a", Status: monitor.StatusAttempt},
		"oldest": {Timestamp: time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), Action: "a", Status: monitor.StatusSuccess},
		"newest": {Timestamp: time.Date(2261, 12, 31, 23, 59, 59, 999999999, time.UTC), Action: "a", Status: monitor.StatusFailure},
		"longest": {
			Timestamp: time.Unix(0, 0), Action: strings.Repeat("x", monitor.MaxFieldSize),
			Status: monitor.StatusSuccess, RecordCount: math.MaxInt64,
		},
	} {
		if err := e.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValidateFindsEveryByte puts a byte that is no UTF-8 everywhere in texts of
// every length.
func TestValidateFindsEveryByte(t *testing.T) {
	t.Parallel()
	e := decodeEvent(t, typicalEvent)
	for length := 1; length <= 40; length++ {
		for i := range length {
			text := []byte(strings.Repeat("x", length))
			if e.PrincipalID = string(text); e.Validate() != nil {
				t.Fatalf("%q is refused", text)
			}
			text[i] = 0x80
			if e.PrincipalID = string(text); e.Validate() == nil {
				t.Fatalf("%q is accepted", text)
			}
		}
	}
}

func TestValidateAllocations(t *testing.T) {
	e := decodeEvent(t, typicalEvent)
	if n := testing.AllocsPerRun(100, func() {
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("allocates %v times", n)
	}
}

func BenchmarkValidate(b *testing.B) {
	var e monitor.Event
	if err := monitor.DecodeEvent([]byte(typicalEvent), &e); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
