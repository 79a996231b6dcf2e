package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// A service lets people log in.
type service struct {
	monitor *monitor.Monitor
	signer  *crypto.Signer
	counts  *memmetrics.Collector // of this instance
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /metrics", s.metrics)
	return mux
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	e := &monitor.Event{
		PrincipalID: r.FormValue("user"),
		Action:      monitor.ActionLoginSuccess,
		Status:      monitor.StatusSuccess,
	}
	status := http.StatusOK
	if r.FormValue("password") != "secret" {
		e.Action, e.Status = monitor.ActionLoginFailure, monitor.StatusFailure
		status = http.StatusUnauthorized
	}
	if err := s.audit(r, e); err != nil {
		// Nobody does what is not in the audit trail.
		log.Print(err)
		status = http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
}

// audit completes an event, signs it and submits it. It does not wait: if the queue is
// full, it returns monitor.ErrOverloaded.
func (s *service) audit(r *http.Request, e *monitor.Event) error {
	e.ID = rand.Text()
	e.Timestamp = time.Now()
	e.OrganizationID = "clinic"
	e.Session.IPAddress = r.RemoteAddr
	e.Session.UserAgent = r.UserAgent()
	return errors.Join(s.signer.Sign(r.Context(), e), s.monitor.Submit(r.Context(), e))
}

// health says what is wrong. A monitor that is degraded still works.
func (s *service) health(w http.ResponseWriter, r *http.Request) {
	h := s.monitor.Health(r.Context())
	if h.Status == monitor.HealthCritical {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	respond(w, h)
}

// metrics has the counts of this instance, which need no server.
func (s *service) metrics(w http.ResponseWriter, r *http.Request) {
	snapshot, err := s.counts.Snapshot(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	respond(w, metrics.NewReport(&snapshot))
}

func respond(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Print(err)
	}
}
