package detect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A record is one of a product's audit log.
type record map[string]any

// text returns the value at a path such as "user.name" or "addresses.0". The name of
// a member may have dots. In a list of objects with name and value, the path has the
// name.
func (r record) text(path string) string {
	var v any = map[string]any(r)
	for path != "" {
		var next string
		switch in := v.(type) {
		case map[string]any:
			if whole, ok := in[path]; ok {
				v, path = whole, ""
				continue
			}
			next, path, _ = strings.Cut(path, ".")
			v = in[next]
		case []any:
			next, path, _ = strings.Cut(path, ".")
			v = element(in, next)
		default:
			return ""
		}
	}
	switch v.(type) {
	case string, json.Number, bool:
		return fmt.Sprint(v)
	}
	return ""
}

func element(list []any, name string) any {
	if i, err := strconv.Atoi(name); err == nil && i < len(list) {
		return list[i]
	}
	for _, v := range list {
		if o, ok := v.(map[string]any); ok && o["name"] == name {
			return o["value"]
		}
	}
	return nil
}

// first returns the first of several values that is there.
func (r record) first(paths []string) string {
	for _, path := range paths {
		if text := r.text(path); text != "" {
			return text
		}
	}
	return ""
}

// joined returns the values with slashes between them.
func (r record) joined(paths []string) string {
	var all []string
	for _, path := range paths {
		all = append(all, r.text(path))
	}
	return strings.Join(all, "/")
}

// time returns the time, which is in milliseconds or in one of the forms that the
// products use. A time without zone is in UTC.
func (r record) time(t *testing.T, paths []string) time.Time {
	t.Helper()
	text := r.first(paths)
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms)
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

// statusOf returns the status of what succeeded or did not.
func statusOf(success bool) monitor.EventStatus {
	if success {
		return monitor.StatusSuccess
	}
	return monitor.StatusFailure
}

// vocabularies map the records of products to events. What they have in common is on
// the page, as a table of paths; these are the action, the status and what depends on
// them.
var vocabularies = map[string]func(r record, e *monitor.Event){
	"CloudTrail": func(r record, e *monitor.Event) {
		e.Action, e.Status, e.OutcomeDescription = r.text("eventName"), monitor.StatusSuccess, r.text("errorCode")
		switch {
		case e.Action == "ConsoleLogin":
			e.Status = statusOf(r.text("responseElements.ConsoleLogin") == "Success")
			e.OutcomeDescription = r.text("errorMessage")
		case e.OutcomeDescription != "":
			e.Status = monitor.StatusFailure
		case e.Action == "GetObject": // and what else reads data
			e.Action, e.TargetResourceType = monitor.ActionDataRead, r.text("resources.0.type")
		}
	},
	"Kubernetes": func(r record, e *monitor.Event) {
		e.Action = map[string]string{
			"get": monitor.ActionDataRead, "list": monitor.ActionDataRead, "watch": monitor.ActionDataRead,
			"create": monitor.ActionDataCreate, "update": monitor.ActionDataUpdate, "patch": monitor.ActionDataUpdate,
			"delete": monitor.ActionDataDelete, "deletecollection": monitor.ActionDataDelete,
		}[r.text("verb")]
		e.TargetResourceType, e.OutcomeDescription = r.text("objectRef.resource"), r.text("responseStatus.reason")
		code, err := strconv.Atoi(r.text("responseStatus.code"))
		e.Status = statusOf(code < 400)
		if err != nil { // not yet
			e.Status = monitor.StatusAttempt
		}
	},
	"GitHub": func(r record, e *monitor.Event) {
		e.Action, e.Status = r.text("action"), monitor.StatusSuccess
		switch e.Action {
		case "repo.download_zip", "git.clone":
			e.Action, e.TargetResourceType = monitor.ActionDataExport, "Repository"
		case "user.failed_login":
			e.Status = monitor.StatusFailure
		}
	},
	"Okta": func(r record, e *monitor.Event) {
		e.Action, e.OutcomeDescription = r.text("eventType"), r.text("outcome.reason")
		switch e.Action {
		case "user.session.start", "user.authentication.auth_via_mfa":
			e.Action = "auth.login"
		}
		switch r.text("outcome.result") {
		case "FAILURE", "DENY":
			e.Status = monitor.StatusFailure
		case "SUCCESS", "ALLOW":
			e.Status = monitor.StatusSuccess
		default:
			e.Status = monitor.StatusAttempt
		}
	},
	"Auth0": func(r record, e *monitor.Event) {
		e.Action, e.Status, e.OutcomeDescription = r.text("data.type"), monitor.StatusSuccess, r.text("data.description")
		switch e.Action {
		case "f", "fp", "fu", "fcoa", "gd_auth_failed":
			e.Action, e.Status = monitor.ActionLoginFailure, monitor.StatusFailure
		case "s":
			e.Action = monitor.ActionLoginSuccess
		}
	},
	"Keycloak": func(r record, e *monitor.Event) {
		e.Action, e.OutcomeDescription = r.text("type"), r.text("error")
		e.Status = statusOf(!strings.HasSuffix(e.Action, "_ERROR"))
	},
	"Teleport": func(r record, e *monitor.Event) {
		e.Action, e.Status, e.OutcomeDescription = r.text("event"), statusOf(r.text("success") != "false"), r.text("error")
		switch e.Action {
		case "db.session.start":
			if e.Status == monitor.StatusFailure {
				e.OutcomeDescription = monitor.OutcomeAccessDenied + ": " + e.OutcomeDescription
			}
		case "db.session.query":
			e.Action, e.TargetResourceType = monitor.ActionDataRead, "Database"
		}
	},
	"Google Workspace": func(r record, e *monitor.Event) {
		e.ID += "/0" // the place of the action in the record
		e.Action, e.Status = r.text("events.0.name"), monitor.StatusSuccess
		switch e.Action {
		case "login_failure":
			e.Status, e.OutcomeDescription = monitor.StatusFailure, r.text("events.0.parameters.login_failure_type")
		case "download":
			e.Action, e.TargetResourceType = monitor.ActionDataExport, r.text("events.0.parameters.doc_type")
		}
	},
	"Microsoft 365": func(r record, e *monitor.Event) {
		e.Action, e.Status = r.text("Operation"), statusOf(!strings.EqualFold(r.text("ResultStatus"), "failed"))
		switch e.Action {
		case "UserLoginFailed":
			e.Status, e.OutcomeDescription = monitor.StatusFailure, r.text("LogonError")
		case "FileAccessed", "FileDownloaded":
			e.Action, e.TargetResourceType = monitor.ActionDataRead, r.text("ItemType")
		}
	},
	"Salesforce": func(r record, e *monitor.Event) {
		e.Action, e.Status = r.text("attributes.type"), monitor.StatusSuccess
		switch e.Action {
		case "LoginEvent":
			e.Action, e.Status, e.OutcomeDescription = "auth.login", statusOf(r.text("Status") == "Success"), r.text("Status")
		case "ReportEvent":
			if r.text("Operation") == "ReportExported" {
				e.Action, e.TargetResourceType = monitor.ActionDataExport, "Report"
			}
			e.RecordCount, _ = strconv.ParseInt(r.text("RowsProcessed"), 10, 64)
		}
	},
}

// TestEventsPageVocabularies maps the sample records of testdata by the page's table
// of paths and by vocabularies, and compares the events, and what the rules of Modern
// make of them, with the page's table of examples.
func TestEventsPageVocabularies(t *testing.T) {
	t.Parallel()
	engine, err := detect.New(&detect.Options{Rules: detect.Modern()})
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string][]string{}
	for _, cells := range rows(section(t, "### Their records as events")) {
		examples[cells[0]] = append(examples[cells[0]], strings.Join(cells[2:], " | "))
	}
	places := rows(section(t, "### Where the fields are"))
	if len(places) != len(vocabularies) || len(examples) != len(vocabularies) {
		t.Errorf("%d products have paths, %d examples, %d a mapping", len(places), len(examples), len(vocabularies))
	}
	for _, cells := range places {
		product := cells[0]
		var paths [7][]string
		for i := range paths {
			paths[i] = code(cells[i])
		}
		var got, ids []string
		for _, r := range records(t, product) {
			e := &monitor.Event{
				ID: r.joined(paths[1]), Timestamp: r.time(t, paths[2]), PrincipalID: r.first(paths[3]),
				OrganizationID: r.first(paths[4]), Session: monitor.Session{IPAddress: r.first(paths[5])},
				TargetResourceID: r.first(paths[6]),
			}
			vocabularies[product](r, e)
			if e.OrganizationID == "" && len(paths[4]) == 0 {
				e.OrganizationID = "acme" // of the configuration
			}
			if err := e.Validate(); err != nil || e.ID == "" || e.PrincipalID == "" || e.OrganizationID == "" || e.Session.IPAddress == "" {
				t.Errorf("%s: %v: %+v", product, err, e)
			}
			if e.Timestamp.UTC().Format(time.DateOnly+" 15") != "2026-03-02 12" {
				t.Errorf("%s: time %s", product, e.Timestamp)
			}
			if slices.Contains(ids, e.ID) {
				t.Errorf("%s: two records have the ID %s", product, e.ID)
			}
			ids = append(ids, e.ID)
			var counted []string
			for _, x := range engine.Explain(e, monitor.Arrival{OrganizationID: e.OrganizationID}) {
				if x.Judgment != detect.NotMatched && x.Judgment != detect.WorkingHours {
					counted = append(counted, "`"+x.Rule+"`")
				}
			}
			if counted == nil {
				counted = []string{"none"}
			}
			got = append(got, fmt.Sprintf("`%s` | `%s` | %s", e.Action, e.Status, strings.Join(counted, ", ")))
		}
		if !slices.Equal(got, examples[product]) {
			t.Errorf("%s:\n got %s\nwant %s", product, strings.Join(got, "\n     "), strings.Join(examples[product], "\n     "))
		}
	}
}

// records returns the sample records of a product.
func records(t *testing.T, product string) []record {
	t.Helper()
	name := strings.ReplaceAll(strings.ToLower(product), " ", "-")
	text, err := os.ReadFile("testdata/vocabularies/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []record
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for d.More() {
		var r record
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, r)
	}
	return all
}
