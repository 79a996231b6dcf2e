package detect_test

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// TestVectors compares with what the reference reports, step by step.
func TestVectors(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/detect.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	type fire struct {
		Type     string
		Severity string
		Count    int
	}
	scenarios, steps, fires := 0, 0, 0
	for in := bufio.NewReader(file); ; {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var scenario struct {
			ID       int
			Timezone string
			Config   json.RawMessage
			Steps    []struct {
				Event *monitor.Event
				Fires []fire
			}
		}
		if err := json.Unmarshal(line, &scenario); err != nil {
			t.Fatal(err)
		}
		o, err := detect.ParseConfig(strings.NewReader(string(scenario.Config)))
		if err != nil {
			t.Fatal(err)
		}
		if o.Location, err = time.LoadLocation(scenario.Timezone); err != nil {
			t.Fatal(err)
		}
		tr := newTrail(t, o)
		scenarios++
		for i, step := range scenario.Steps {
			steps++
			var got []fire
			for _, f := range tr.add(step.Event) {
				got = append(got, fire{strings.ToUpper(f.Rule), f.Severity.String(), f.Count})
			}
			byType := func(a, b fire) int { return strings.Compare(a.Type, b.Type) }
			slices.SortFunc(got, byType)
			slices.SortFunc(step.Fires, byType)
			if !slices.Equal(got, step.Fires) {
				t.Errorf("scenario %d, step %d: got %v, want %v", scenario.ID, i, got, step.Fires)
			}
			fires += len(step.Fires)
		}
	}
	if scenarios != 24 || steps < 500 || fires < 100 {
		t.Errorf("%d scenarios, %d steps, %d fires: not all of the vectors", scenarios, steps, fires)
	}
	t.Logf("%d scenarios, %d steps, %d fires", scenarios, steps, fires)
}
