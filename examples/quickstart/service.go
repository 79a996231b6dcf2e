package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

const password = "correct horse" // of everybody

// service is a patient administration. It keeps an audit trail of its own requests
// and of the events that other services send to it.
type service struct {
	monitor *monitor.Monitor
	signer  *crypto.Signer
	clock   *clock
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Password") == password {
			s.audit(w, r, monitor.Event{Action: monitor.ActionLoginSuccess}, http.StatusOK)
			return
		}
		s.audit(w, r, monitor.Event{Action: monitor.ActionLoginFailure}, http.StatusUnauthorized)
	})
	mux.HandleFunc("GET /patients/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.audit(w, r, monitor.Event{
			Action: monitor.ActionDataRead, TargetResourceType: "Patient", TargetResourceID: r.PathValue("id"),
		}, http.StatusOK)
	})
	mux.HandleFunc("GET /admin", func(w http.ResponseWriter, r *http.Request) {
		s.audit(w, r, monitor.Event{
			Action: "admin.settings.read", OutcomeDescription: monitor.OutcomeAccessDenied + ": not an administrator",
		}, http.StatusForbidden)
	})
	mux.HandleFunc("POST /export", func(w http.ResponseWriter, r *http.Request) {
		s.audit(w, r, monitor.Event{Action: monitor.ActionDataExport, TargetResourceType: "Report"}, http.StatusOK)
	})
	mux.HandleFunc("POST /audit", s.receive)
	return mux
}

// audit responds to the request after the monitor has processed its event, so that
// nothing happens unseen.
func (s *service) audit(w http.ResponseWriter, r *http.Request, e monitor.Event, status int) {
	e.Timestamp = s.clock.now()
	e.PrincipalID = r.Header.Get("User")
	e.OrganizationID = "clinic"
	e.Session.IPAddress = r.Header.Get("Address") // that of the client, as the proxy in front says
	e.Status = monitor.StatusSuccess
	if status >= http.StatusBadRequest {
		e.Status = monitor.StatusFailure
	}
	if err := s.signer.Sign(r.Context(), &e); err != nil {
		http.Error(w, "audit trail", http.StatusInternalServerError)
		return
	}
	s.process(w, r, &e, status)
}

// receive accepts an event that another service has signed.
func (s *service) receive(w http.ResponseWriter, r *http.Request) {
	var e monitor.Event
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, monitor.MaxEventSize)).Decode(&e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.process(w, r, &e, http.StatusAccepted)
}

func (s *service) process(w http.ResponseWriter, r *http.Request, e *monitor.Event, status int) {
	if _, err := s.monitor.Process(r.Context(), e); err != nil {
		http.Error(w, "audit trail", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(status)
}

// clock is the time of the demonstration, in which a day takes a second.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time  { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) set(t time.Time) { c.nanos.Store(t.UnixNano()) }
