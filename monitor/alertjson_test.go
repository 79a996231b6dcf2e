package monitor_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func second(n int) time.Time { return time.Date(2023, 10, 26, 10, 30, n, 0, time.UTC) }

func fullAlert() monitor.Alert {
	return monitor.Alert{
		ID: "a-1", Fingerprint: monitor.FingerprintOf("failed_auth", "org", "alice"), OrganizationID: "org",
		Severity: monitor.SeverityHigh, Type: monitor.AlertSecurity, Title: "title", Description: "description",
		Source: "audit-monitoring", Status: monitor.AlertResolved, CorrelationID: "c-1",
		Tags: []string{"suspicious-pattern"}, Metadata: map[string]any{"count": json.Number("9007199254740993")},
		Finding: monitor.Finding{
			Rule: "failed_auth", Severity: monitor.SeverityHigh, OrganizationID: "org", Key: "alice",
			KeyField: "principalId", Event: monitor.EventRef{ID: "e-5", Timestamp: second(5), Sequence: 5},
			CompletedBy: monitor.EventRef{Timestamp: second(3), Sequence: 6}, Count: 5, AtLeast: true, Threshold: 5,
			Window:     5*time.Minute + 1500*time.Microsecond,
			References: []monitor.EventRef{{ID: "e-4", Timestamp: second(4)}, {ID: "e-5", Timestamp: second(5), Sequence: 5}},
			Uncovered:  monitor.FieldSession | monitor.FieldRecordCount, Technique: "T1110", Shadow: true, Detail: "detail",
			Steps: []int{7, 1}, Guidance: &monitor.Guidance{
				Title: "t", Description: "d", NextSteps: "n", Runbook: "https://example.com/", References: []string{"r"},
				Author: "a", Tags: []string{"g"}, Counts: []string{"c", "e"},
			},
		},
		TraceID: monitor.TraceID{0x4b, 15: 0x36}, SpanID: monitor.SpanID{7: 0xb7}, Occurrences: 7, FirstSeen: second(1), LastSeen: second(9),
		CreatedAt: second(10), UpdatedAt: second(11), AcknowledgedAt: second(12), AcknowledgedBy: "bob",
		ResolvedAt: second(13), ResolvedBy: "carol", ResolutionNotes: "notes", Version: 3,
	}
}

const fullAlertJSON = `{
	"id": "a-1", "severity": "HIGH", "type": "SECURITY", "title": "title", "description": "description",
	"createdAt": "2023-10-26T10:30:10Z", "source": "audit-monitoring", "status": "resolved",
	"metadata": {"count": 9007199254740993},
	"acknowledged": true, "acknowledgedAt": "2023-10-26T10:30:12Z", "acknowledgedBy": "bob",
	"resolved": true, "resolvedAt": "2023-10-26T10:30:13Z", "resolvedBy": "carol", "resolutionNotes": "notes",
	"correlationId": "c-1", "tags": ["suspicious-pattern"], "organizationId": "org",
	"fingerprint": "7cb2aa55b1e6a9bc1bd9cc4e6a2fb4d5c3ba87ef0d5b0f25e1b90a77a8c4a77b",
	"traceId": "4b000000000000000000000000000036", "spanId": "00000000000000b7",
	"occurrences": 7, "firstSeen": "2023-10-26T10:30:01Z", "lastSeen": "2023-10-26T10:30:09Z",
	"updatedAt": "2023-10-26T10:30:11Z", "version": 3,
	"finding": {
		"rule": "failed_auth", "severity": "HIGH", "organizationId": "org", "key": "alice", "keyField": "principalId",
		"event": {"id": "e-5", "timestamp": "2023-10-26T10:30:05Z", "sequence": 5},
		"completedBy": {"timestamp": "2023-10-26T10:30:03Z", "sequence": 6},
		"count": 5, "atLeast": true, "threshold": 5, "window": 300001.5,
		"references": [{"id": "e-4", "timestamp": "2023-10-26T10:30:04Z"},
			{"id": "e-5", "timestamp": "2023-10-26T10:30:05Z", "sequence": 5}],
		"uncovered": ["sessionContext", "recordCount"], "technique": "T1110", "shadow": true, "detail": "detail", "steps": [7, 1],
		"guidance": {"title": "t", "description": "d", "nextSteps": "n", "runbook": "https://example.com/", "references": ["r"],
			"author": "a", "tags": ["g"], "counts": ["c", "e"]}}}`

func TestAlertJSON(t *testing.T) {
	t.Parallel()
	alert := fullAlert()
	for name, test := range map[string]struct {
		alert monitor.Alert
		text  string
	}{
		"full": {alert, strings.NewReplacer(
			"7cb2aa55b1e6a9bc1bd9cc4e6a2fb4d5c3ba87ef0d5b0f25e1b90a77a8c4a77b", alert.Fingerprint.String(),
		).Replace(fullAlertJSON)},
		"zero": {monitor.Alert{}, `{"id":"","severity":"INFO","type":"","title":"","description":"","source":"",` +
			`"status":"","acknowledged":false,"resolved":false,"organizationId":"","occurrences":0,"version":0,` +
			`"finding":{"rule":"","severity":"INFO","organizationId":"","key":"","event":{},"count":0,"threshold":0,"window":0}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(test.alert)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "members", members(t, got), members(t, []byte(test.text)))
			var back monitor.Alert
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, test.alert) {
				t.Errorf("got  %+v\nwant %+v", back, test.alert)
			}
		})
	}
}

// members returns what is in a JSON object.
func members(t *testing.T, text []byte) (m map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	check.NoError(t, "decode", d.Decode(&m))
	return m
}

func TestAlertJSONWritesUTC(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	text, err := json.Marshal(monitor.Alert{
		CreatedAt: second(1).In(zone),
		Finding:   monitor.Finding{Event: monitor.EventRef{Timestamp: second(2).In(zone)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"createdAt":"2023-10-26T10:30:01Z"`, `"timestamp":"2023-10-26T10:30:02Z"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

func TestAlertJSONRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"severity":          {`{"severity":"SEVERE"}`, "SEVERE"},
		"short fingerprint": {`{"fingerprint":"00"}`, "want 64"},
		"trace ID":          {`{"traceId":"zz000000000000000000000000000000"}`, "trace ID"},
		"short trace ID":    {`{"traceId":""}`, "want 32"},
		"span ID":           {`{"spanId":"zz00000000000000"}`, "span ID"},
		"long span ID":      {`{"spanId":"00000000000000000"}`, "want 16"},
		"uncovered field":   {`{"finding":{"uncovered":["color"]}}`, "color"},
		"endless window":    {`{"finding":{"window":1e300}}`, "too long"},
		"window text":       {`{"finding":{"window":"5m"}}`, "string"},
		"time":              {`{"finding":{"event":{"timestamp":"now"}}}`, "now"},
		"metadata":          {`{"metadata":[]}`, "array"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alert := fullAlert()
			err := json.Unmarshal([]byte(test.text), &alert)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if want := fullAlert(); !reflect.DeepEqual(alert, want) {
				t.Errorf("the alert was changed to %+v", alert)
			}
		})
	}
}

// FuzzAlertJSON checks that what decodes encodes and decodes to the same.
func FuzzAlertJSON(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"id":"a","metadata":{"a":[1e400,{}]},"finding":{"window":0.5,"uncovered":["id"],"references":[{}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, b monitor.Alert
		if json.Unmarshal(text, &a) != nil {
			return
		}
		first, err := json.Marshal(a)
		if err != nil {
			return // such as a year over 9999 after conversion to UTC
		}
		if err := json.Unmarshal(first, &b); err != nil {
			t.Fatalf("%s, encoded from %q: %v", first, text, err)
		}
		second, err := json.Marshal(b)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s, error %v", first, second, err)
		}
	})
}
