package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// matches returns the names of the rules that are about the event, in their order.
func matches(rules []detect.Rule, e *monitor.Event) []string {
	names := []string{}
	for _, r := range rules {
		if r.Match(e) {
			names = append(names, r.Name)
		}
	}
	return names
}

func wantMatches(t *testing.T, e *monitor.Event, want ...string) {
	t.Helper()
	if got := matches(detect.Modern(), e); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, %s, %q, type %q, %d records matches %q, want %q",
			e.Action, e.Status, e.OutcomeDescription, e.TargetResourceType, e.RecordCount, got, want)
	}
}

// TestModernKeepsTheFive pins that nothing but the matches of the five rules differs,
// and that no window is carried over from one to the other.
func TestModernKeepsTheFive(t *testing.T) {
	t.Parallel()
	modern := detect.Modern()
	for i, d := range detect.Defaults() {
		m := modern[i]
		if m.Name != d.Name || m.Threshold != d.Threshold || m.Window != d.Window || m.Severity != d.Severity ||
			m.Technique != d.Technique || fmt.Sprint(m.Hours) != fmt.Sprint(d.Hours) {
			t.Errorf("rule %d: %+v differs from %+v", i, m, d)
		}
		if m.Version == d.Version {
			t.Errorf("%s has version %s in both", m.Name, m.Version)
		}
		if !m.Uses.Has(d.Uses) {
			t.Errorf("%s uses %s and not %s", m.Name, m.Uses, d.Uses)
		}
	}
	modern[0].Name = "changed"
	if detect.Modern()[0].Name != detect.FailedAuth {
		t.Error("a caller's change reaches the next caller")
	}
}

func TestModernLogins(t *testing.T) {
	t.Parallel()
	logins := []string{
		monitor.ActionLoginFailure, "auth.login", "user.login", "login", "Login", "LOGIN", "login_failed", "login-failed",
		"login failed", "failed_login", "user.failed_login", "UserLoginFailed", "UserLoggedIn", "ConsoleLogin", "SSOLogin",
		"LOGIN_ERROR", "CLIENT_LOGIN_ERROR", "auth:login:failure", "auth/login", "POST /api/v1/login", "logon", "sign_in",
		"SignIn", "signIn", "sign-in", "user.signed_in", "Log in", "logIn", "logOn", "auth.failure", "auth_failed",
		"authentication.failed", "authenticate", "authn.failure", "login.mfa.failure", "auth.login.password",
		"auth.login.invalid_credentials", "session::login", "x.auth.login.failure", "auth.login.",
	}
	others := []string{
		"", ".", "logins", "plugin.load", "blogin", "login.settings.update", "login_history.read", "CreateLoginProfile",
		"UpdateLoginProfile", "logout", "log.in.progress", "catalog.info", "opt.in", "sign.document", "plug_in", "on", "in",
		"authorization.failed", "author.update", "auth.token.refresh", "oauth.token", "last_login.update", "data.read",
		"auth.login.failures.report", "loginé", "authenticationauthentication",
	}
	for _, action := range logins {
		e := &monitor.Event{Action: action, Status: monitor.StatusFailure}
		wantMatches(t, e, detect.FailedAuth)
		e.OutcomeDescription = "401 Unauthorized" // of a login
		wantMatches(t, e, detect.FailedAuth)
		e.Session.IPAddress = "192.0.2.1"
		wantMatches(t, e, detect.FailedAuth, detect.PasswordSpraying)
		for _, status := range []monitor.EventStatus{monitor.StatusSuccess, monitor.StatusAttempt} {
			wantMatches(t, &monitor.Event{Action: action, Status: status, OutcomeDescription: "unauthorized"})
		}
	}
	for _, action := range others {
		e := &monitor.Event{Action: action, Status: monitor.StatusFailure}
		e.Session.IPAddress = "192.0.2.1"
		wantMatches(t, e)
		e.OutcomeDescription = "401 Unauthorized"
		wantMatches(t, e, detect.UnauthorizedAccess)
	}
}

func TestModernRefusals(t *testing.T) {
	t.Parallel()
	for text, refused := range map[string]bool{
		monitor.OutcomeAccessDenied: true, "access denied: not an administrator": true, "Access DENIED by policy": true,
		"AccessDenied": true, "AccessDeniedException": true, "Client.UnauthorizedOperation": true, "403 Forbidden": true,
		"PERMISSION_DENIED": true, "INSUFFICIENT_ACCESS": true, "insufficient privileges": true, "denied access to 7": true,
		"User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetObject": true, "operation not permitted": true,
		"": false, "not found": false, "authorized": false, "access granted": false, "access is denied by default, allowed": false,
		"denied": false, "insufficient funds": false, "unforbidden": false, "preunauthorizedx": false, "order 403": false,
	} {
		var want []string
		if refused {
			want = []string{detect.UnauthorizedAccess}
		}
		wantMatches(t, &monitor.Event{Action: "patient.open", Status: monitor.StatusFailure, OutcomeDescription: text}, want...)
		wantMatches(t, &monitor.Event{Action: "patient.open", Status: monitor.StatusSuccess, OutcomeDescription: text})
	}
}

func TestModernData(t *testing.T) {
	t.Parallel()
	velocity, bulk, hours := detect.DataVelocity, detect.BulkOperation, detect.OffHours
	for action, want := range map[string][]string{
		monitor.ActionDataRead:   {velocity, hours},
		monitor.ActionDataExport: {bulk, hours},
		monitor.ActionDataImport: {bulk, hours},
		monitor.ActionDataCreate: {hours}, monitor.ActionDataUpdate: {hours}, monitor.ActionDataDelete: {hours},
		"Data:Read": {velocity, hours}, "app/data/read": {velocity, hours}, "fhir.Patient.read": {velocity, hours},
		"data.read.patient": {velocity, hours}, "bulk": {bulk}, "user.bulk_update": {bulk}, "BulkApi": {bulk}, "data.bulk-delete": {bulk, hours},
		"metadata.refresh": nil, "metadata.read": nil, "metaData.read": nil, "metadata.export": nil, "customer_data.import": nil,
		"database.connect": nil, "data": nil, "fhir": nil, "data.": nil, "fhirpath.eval": nil, "bulky.item": nil, "bulkhead": nil,
		"data.readonly": {hours}, "data.exports.list": {hours}, "data..read": {velocity, hours},
	} {
		e := at(11*time.Hour, action, "ann")
		wantMatches(t, e, want...)
		for _, status := range []monitor.EventStatus{monitor.StatusFailure, monitor.StatusAttempt} {
			e.Status = status
			wantMatches(t, e) // refused is not done
			e.RecordCount, e.TargetResourceType = 1000, "Patient"
			wantMatches(t, e)
			e.RecordCount, e.TargetResourceType = 0, ""
		}
	}
	e := at(0, "report.open", "ann")
	e.TargetResourceType, e.RecordCount = "Report", 10
	wantMatches(t, e, velocity)
	e.RecordCount = 11
	wantMatches(t, e, velocity, bulk)
}

func TestPasswordSpraying(t *testing.T) {
	t.Parallel()
	modern := &detect.Options{Rules: detect.Modern()}
	try := func(account, address string, i int) *monitor.Event {
		e := loginFailure(time.Duration(i)*10*time.Second, account)
		e.Session.IPAddress = address
		return e
	}
	t.Run("one address, many accounts", func(t *testing.T) {
		t.Parallel()
		tr := newTrail(t, modern)
		var found []monitor.Finding
		for i := range 20 {
			found = append(found, tr.add(try(fmt.Sprint("user-", i), "192.0.2.1", i))...)
		}
		wantLines(t, found, "password_spraying org-1/192.0.2.1 20 +3m10s")
	})
	t.Run("one account, many addresses", func(t *testing.T) {
		t.Parallel()
		tr := newTrail(t, modern)
		var found []monitor.Finding
		for i := range 5 {
			found = append(found, tr.add(try("ann", fmt.Sprint("192.0.2.", i), i))...)
		}
		wantLines(t, found, "failed_auth org-1/ann 5 +40s")
	})
	t.Run("nobody's accounts and nobody's addresses", func(t *testing.T) {
		t.Parallel()
		tr := newTrail(t, &detect.Options{Rules: detect.Modern()[5:]})
		for i := range 100 {
			wantLines(t, tr.add(try(fmt.Sprint("user-", i), "", i), try("", "192.0.2.1", i)))
		}
	})
}

// TestUnmatchedEvents pins what the engine tells a monitor about events that no
// rule is about. A rule with off-hours is about its events at any time.
func TestUnmatchedEvents(t *testing.T) {
	t.Parallel()
	engine, err := detect.New(&detect.Options{
		Rules: append(detect.Modern(), detect.Rule{Name: "panics", Match: func(e *monitor.Event) bool {
			if e.Action == "panic" {
				panic("no")
			}
			return false
		}}),
		Exceptions: detect.Exceptions{Principals: []string{"backup"}},
		Overrides: map[string]detect.Override{"quiet": {Rules: map[string]detect.RuleOverride{
			detect.FailedAuth: {Disabled: true}, detect.PasswordSpraying: {Disabled: true},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, MaxSkew: -1, Detectors: []monitor.Detector{engine}})
	if err != nil {
		t.Fatal(err)
	}
	quiet := loginFailure(0, "ann")
	quiet.OrganizationID = "quiet"
	batch := []monitor.Delivery{
		{Event: loginFailure(0, "ann")}, {Event: quiet}, {Event: at(0, "data.update", "ann")}, {Event: at(0, "page.view", "ann")},
		{Event: at(0, "data.read", "backup")}, {Event: at(0, "panic", "ann")},
	}
	_, _ = m.ProcessBatch(t.Context(), batch) // the error is that of the panic
	got, want := fmt.Sprint(m.Stats()), "{[{auth.login.failure 1} {page.view 1}] 0}"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	x := engine.Explain(at(0, "data.update", "ann"), monitor.Arrival{OrganizationID: "org-1"})[4]
	if got, want := x.String(), "off_hours: is not counted within working hours"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
