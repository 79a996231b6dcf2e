package detect_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// TestOneIdentity delivers events again, to the monitor that has counted them and to
// others: whatever an event is known by, and whoever made it qualify, what reaches
// the store of it is one event. So it is over shared windows, over windows in
// memory, and after a restart.
func TestOneIdentity(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"short": "id-", "longest kept": strings.Repeat("x", 70), "longer": strings.Repeat("x", 71),
		"longest": strings.Repeat("x", monitor.MaxFieldSize-1), "of the delivery": "",
	} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shared=%t", name, shared), func(t *testing.T) {
				t.Parallel()
				o := &detect.Options{Rules: []detect.Rule{{Name: "r", Match: any1, Threshold: 3, Window: time.Hour}}}
				if shared {
					o.Windows = &monitortest.MemoryWindows{}
				}
				keys := map[monitor.EventKey]int{}
				start := func() (*detect.Engine, func(...int)) {
					engine := check.Must(detect.New(o))(t)
					m := check.Must(monitor.New(monitor.Config{
						AllowUnverified: true, MaxSkew: -1, DuplicateCapacity: -1, Detectors: []monitor.Detector{engine},
						Alerts: monitor.AlertHandlerFunc(func(context.Context, *monitor.Alert) error { return nil }),
						Tracer: keyTracer(keys),
					}))(t)
					return engine, func(numbers ...int) {
						t.Helper()
						for _, n := range numbers {
							e := at(time.Duration(n)*time.Second, "x", "u")
							if id != "" {
								e.ID = fmt.Sprint(id, n)
							}
							_, err := m.ProcessBatch(t.Context(), []monitor.Delivery{{Event: e, ID: fmt.Sprint("message-", n)}})
							check.NoError(t, "process", err)
						}
					}
				}
				engine, deliver := start()
				deliver(1, 5, 3, 4) // 3 makes 5 qualify
				if shared {
					_, elsewhere := start()
					elsewhere(3, 2, 5) // 2 makes 4 qualify
				} else {
					saved := snapshot(t, engine)
					engine, deliver = start()
					check.NoError(t, "restore", engine.Restore(bytes.NewReader(saved)))
					deliver(2)
				}
				check.Equal(t, "events that the store counts", len(keys), 3)
			})
		}
	}
}

// keyTracer notes the keys of the events that are stored.
type keyTracer map[monitor.EventKey]int

func (keyTracer) TraceProcessStart(ctx context.Context, _ monitor.TraceProcessStart) context.Context {
	return ctx
}

func (k keyTracer) TraceStoreStart(ctx context.Context, data monitor.TraceStoreStart) context.Context {
	for _, o := range data.Occurrences {
		k[o.EventKey]++
	}
	return ctx
}

func (keyTracer) TraceProcessEnd(context.Context, monitor.TraceProcessEnd) {}
