package fleet_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
)

const webhookSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

// A receiver is the destination of all notifications.
type receiver struct {
	*httptest.Server
	tb testing.TB

	mu       sync.Mutex
	trouble  http.HandlerFunc // answers instead; nil when all is well
	attempts int              // that met with trouble
	taken    int
	reasons  map[string]alerting.Reason // by idempotency key
	alerts   map[string]string          // IDs, by idempotency key
}

func newReceiver(tb testing.TB) *receiver {
	tb.Helper()
	r := &receiver{tb: tb, reasons: map[string]alerting.Reason{}, alerts: map[string]string{}}
	r.Server = httptest.NewServer(r)
	tb.Cleanup(r.Close)
	return r
}

// ServeHTTP takes a notification.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the instance was killed
	}
	if trouble := r.meet(); trouble != nil {
		trouble(w, req)
		return
	}
	var p webhook.Payload
	assert.NoError(r.tb, webhook.Verify(req.Header, body, []notify.Secret{notify.NewSecret(webhookSecret)}, nil))
	if !assert.NoError(r.tb, json.Unmarshal(body, &p)) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.reasons[p.Key], r.alerts[p.Key] = p.Reason, p.Alert.ID
}

// meet returns the trouble there is, and counts it.
func (r *receiver) meet() http.HandlerFunc {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble != nil {
		r.attempts++
	}
	return r.trouble
}

// be makes the receiver answer like that; nil is well again.
func (r *receiver) be(trouble http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = trouble
}

// met returns how many attempts met with trouble.
func (r *receiver) met() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts
}

// got returns what was received: how often at all, and by idempotency key the
// reasons and the IDs of the alerts.
func (r *receiver) got() (taken int, reasons map[string]alerting.Reason, alerts map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken, maps.Clone(r.reasons), maps.Clone(r.alerts)
}

// down answers as a proxy does whose server is away.
func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

// slow answers when nobody listens any more.
func slow(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }

// garbled answers with what is not HTTP.
func garbled(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	conn.Write([]byte("\x00\xff\xfe HTTP/9.9 maybe\r\n\r\n"))
	conn.Close()
}
