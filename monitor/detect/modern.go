package detect

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// Modern returns the five rules of [Defaults], under the same names and with the same
// thresholds, but with matches on whole words instead of parts of texts, and
// password spraying: failed logins from one address to 20 different accounts in 10
// minutes. New services use these. The caller may change what it gets.
//
// Letters count in either case. The segments of an action end at every character
// but letters, digits, underscores and hyphens. Its words end at these, too, and
// where camel case begins a new one: "auth.login", "auth:login", "UserLogin" and
// "user-login" end with the word "login".
//
//   - [FailedAuth]: a login with [monitor.StatusFailure]. A login is an action with
//     the word login, logon, signin, signon, auth, authn, authenticate or
//     authentication, or with log, logged, sign or signed before in or on, if all
//     words behind it say how it was done or how it ended, such as "password", "sso"
//     or "failed".
//   - [UnauthorizedAccess]: [monitor.StatusFailure], an outcome description that says
//     "unauthorized", "forbidden", "access denied", "permission denied", "not
//     authorized" or the like, in words or camel case, and an action that is no login.
//   - [DataVelocity]: [monitor.StatusSuccess], and a target resource type, the segments
//     data.read, or the segment fhir with another behind it.
//   - [BulkOperation]: [monitor.StatusSuccess], and a record count above 10, the
//     segments data.export or data.import, or the word bulk.
//   - [OffHours]: [monitor.StatusSuccess], and the segment data or fhir with another
//     behind it, from 22 to 6 o'clock.
//   - [PasswordSpraying]: what is a failed login for FailedAuth, with an address and
//     a principal.
//
// docs/events.md has examples of events that match and of events that do not.
func Modern() []Rule {
	rules := Defaults()
	for i := range rules {
		r := &rules[i]
		r.Version = "modern-1"
		switch r.Name {
		case FailedAuth:
			r.Match = isFailedLogin
		case UnauthorizedAccess:
			r.Match = isRefusedAccess
			r.Uses |= monitor.FieldAction
		case DataVelocity:
			r.Match = isDataRead
		case BulkOperation:
			r.Match = isBulkDone
			r.Uses |= monitor.FieldStatus
		case OffHours:
			r.Match = isDataUse
		}
	}
	return described(append(rules, Rule{
		Name: PasswordSpraying, Version: "modern-1", Severity: monitor.SeverityHigh, Technique: "T1110.003",
		Match:    func(e *monitor.Event) bool { return e.Session.IPAddress != "" && isFailedLogin(e) },
		Uses:     monitor.FieldStatus | monitor.FieldAction | monitor.FieldPrincipalID,
		Distinct: func(e *monitor.Event) string { return e.PrincipalID },
		GroupBy:  ByAddress, Threshold: 20, Window: 10 * time.Minute,
	}))
}

func isFailedLogin(e *monitor.Event) bool {
	return e.Status == monitor.StatusFailure && isLogin(e.Action)
}

func isRefusedAccess(e *monitor.Event) bool {
	return e.Status == monitor.StatusFailure && saysRefused(e.OutcomeDescription) && !isLogin(e.Action)
}

func isDataRead(e *monitor.Event) bool {
	return e.Status == monitor.StatusSuccess &&
		(e.TargetResourceType != "" || hasSegments(e.Action, "data", "read") || hasSegments(e.Action, "fhir", ""))
}

func isBulkDone(e *monitor.Event) bool {
	return e.Status == monitor.StatusSuccess &&
		(e.RecordCount > bulkRecords || hasSegments(e.Action, "data", "export") ||
			hasSegments(e.Action, "data", "import") || hasWord(e.Action, "bulk"))
}

func isDataUse(e *monitor.Event) bool {
	return e.Status == monitor.StatusSuccess &&
		(hasSegments(e.Action, "data", "") || hasSegments(e.Action, "fhir", ""))
}

// isLogin reports whether the action is a login, and not something that is done to
// logins, such as "login.settings.update".
func isLogin(action string) bool {
	login := false
	for s := (wordScanner{rest: action}); s.next(); {
		w, before := &s.word, &s.before
		switch string(w.text[:w.n]) {
		case "login", "logon", "signin", "signon", "auth", "authn", "authenticate", "authentication":
			login = true
		case "in", "on":
			login = before.is("log") || before.is("logged") || before.is("sign") || before.is("signed")
		case "password", "mfa", "2fa", "otp", "totp", "webauthn", "passkey", "sso", "saml", "oidc", "oauth", "ldap", "web", "api":
			// how it was done
		case "success", "successful", "succeeded", "failure", "failed", "fail", "error", "attempt",
			"denied", "refused", "rejected", "blocked", "bad", "wrong", "incorrect", "invalid", "unknown",
			"locked", "expired", "disabled", "user", "account", "credentials":
			// how it ended
		default:
			login = false
		}
	}
	return login
}

// saysRefused reports whether the text says that the principal had no right to do
// what it tried.
func saysRefused(text string) bool {
	for s := (wordScanner{rest: text}); s.next(); {
		w, before, refused := &s.word, &s.before, false
		switch string(w.text[:w.n]) {
		case "unauthorized", "unauthorised", "forbidden":
			refused = true
		case "denied":
			refused = before.is("access") || before.is("permission")
		case "authorized", "authorised", "permitted", "allowed":
			refused = before.is("not")
		case "access", "permission", "permissions", "privilege", "privileges", "rights", "scope":
			refused = before.is("insufficient") || before.is("denied")
		}
		if refused {
			return true
		}
	}
	return false
}
