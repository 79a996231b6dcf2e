package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

// redeliveryHorizon is how long a second delivery of an event is one, and not a
// replay.
const redeliveryHorizon = 200 * time.Millisecond

// office is the address of those who work at the clinic.
const office = "192.0.2.10"

// serveTraffic starts the service and sends it the traffic of yesterday.
func serveTraffic(ctx context.Context, m *monitor.Monitor, key *crypto.Key) error {
	signer, err := crypto.NewSigner(key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := new(clock)
	server := &http.Server{
		Handler:           (&service{monitor: m, signer: signer, clock: c}).routes(),
		ReadHeaderTimeout: time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	t := &traffic{
		ctx: ctx, url: "http://" + listener.Addr().String(), signer: signer, clock: c,
		address: office, midnight: time.Now().UTC().Add(-24 * time.Hour).Truncate(24 * time.Hour),
	}
	t.day()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return t.err
}

// traffic is the client. Its first error stops it.
type traffic struct {
	ctx      context.Context
	url      string
	signer   *crypto.Signer
	clock    *clock
	midnight time.Time
	address  string // that the requests come from
	err      error
}

// day is a day at the clinic with one attack of each kind.
func (t *traffic) day() {
	staff := []string{"ada", "ben", "cleo", "dan", "emma", "finn", "gina", "hugo", "ida", "jon"}
	for hour := 7; hour < 10; hour++ {
		t.work(hour, staff)
	}

	t.at(10, 12)
	for range 7 { // somebody guesses a password
		t.after(15 * time.Second)
		t.request("POST", "/login", "mallory", "guess")
	}

	t.at(10, 40)
	t.address = "203.0.113.9"
	for i := range 25 { // somebody tries one password on many accounts
		t.after(10 * time.Second)
		t.request("POST", "/login", fmt.Sprint("user-", i), "Summer2026")
	}
	t.address = office

	t.at(11, 30)
	for range 4 { // somebody tries pages that are forbidden
		t.after(time.Minute)
		t.request("GET", "/admin", "eve", "")
	}
	t.work(12, staff)

	t.at(13, 5)
	for i := range 60 { // somebody reads one record after another
		t.after(500 * time.Millisecond)
		t.request("GET", fmt.Sprint("/patients/", i), "sam", "")
	}

	t.at(14, 10)
	t.tamper(func(e *monitor.Event) { e.PrincipalID = "somebody-else" })
	t.tamper(func(e *monitor.Event) { e.Signature = "" })
	t.replay()

	t.at(15, 40)
	for i := range 110 { // many users export data at the same time
		t.after(2 * time.Second)
		t.request("POST", "/export", staff[i%len(staff)], "")
	}
	t.work(17, staff)

	t.at(23, 14) // somebody works late
	t.request("GET", "/patients/17", "nina", "")
}

// work is an ordinary hour.
func (t *traffic) work(hour int, staff []string) {
	t.at(hour, 0)
	for i, user := range staff {
		t.after(time.Minute)
		if i == hour%len(staff) {
			t.request("POST", "/login", user, "mistyped")
		}
		t.request("POST", "/login", user, password)
		for patient := range 5 {
			t.after(20 * time.Second)
			t.request("GET", fmt.Sprint("/patients/", 10*i+patient), user, "")
		}
	}
}

// tamper sends an event of another service that was changed on its way.
func (t *traffic) tamper(change func(*monitor.Event)) {
	e := t.foreign("evt-tampered")
	change(e)
	t.send(e)
}

// replay sends a recorded event for a second time, much later.
func (t *traffic) replay() {
	e := t.foreign("evt-recorded")
	t.send(e)
	select {
	case <-time.After(2 * redeliveryHorizon):
	case <-t.ctx.Done():
	}
	t.send(e)
}

// foreign returns an event that another service has signed.
func (t *traffic) foreign(id string) *monitor.Event {
	t.after(time.Second)
	e := &monitor.Event{
		ID: id, Timestamp: t.clock.now(), Action: "payment.approve", Status: monitor.StatusSuccess,
		PrincipalID: "gina", OrganizationID: "clinic", TargetResourceType: "Invoice", TargetResourceID: "4711",
	}
	t.keep(t.signer.Sign(t.ctx, e))
	return e
}

func (t *traffic) send(e *monitor.Event) {
	body, err := json.Marshal(e)
	t.keep(err)
	t.do("POST", "/audit", "billing", "", bytes.NewReader(body))
}

func (t *traffic) request(method, path, user, secret string) {
	t.do(method, path, user, secret, nil)
}

func (t *traffic) do(method, path, user, secret string, body io.Reader) {
	if t.err != nil {
		return
	}
	r, err := http.NewRequestWithContext(t.ctx, method, t.url+path, body)
	if err != nil {
		t.keep(err)
		return
	}
	r.Header.Set("Address", t.address)
	r.Header.Set("User", user)
	r.Header.Set("Password", secret)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.keep(err)
		return
	}
	t.keep(response.Body.Close())
	if response.StatusCode >= http.StatusInternalServerError {
		t.keep(fmt.Errorf("%s %s: %s", method, path, response.Status))
	}
}

func (t *traffic) at(hour, minute int) {
	t.clock.set(t.midnight.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute))
}

func (t *traffic) after(d time.Duration) { t.clock.set(t.clock.now().Add(d)) }

func (t *traffic) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}
