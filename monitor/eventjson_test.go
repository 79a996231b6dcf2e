package monitor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/monitor"
)

// typicalEvent is an event of average size, 482 bytes.
const typicalEvent = `{"id":"0190f5e2-7c3a-7d6b-9c1e-2f4a5b6c7d8e","timestamp":"2023-10-26T10:30:00.123Z",` +
	`"action":"fhir.patient.read","status":"success","principalId":"user-12345","organizationId":"org-67890",` +
	`"targetResourceType":"Patient","targetResourceId":"patient-998877","sessionContext":{"sessionId":"sess-4f2a",` +
	`"ipAddress":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64)"},"correlationId":"c-1","recordCount":3,` +
	`"hash":"e5255446123868fac834d415a3c3641fb77b87f54c46aff854de524148d90ff2"}`

// requiredFields are the fields that every event has, for events of one more.
const requiredFields = `"timestamp":"2023-10-26T10:30:00.000Z","action":"userLogin","status":"success"`

func decodeEvent(t *testing.T, text string) *monitor.Event {
	t.Helper()
	var e monitor.Event
	if err := monitor.DecodeEvent([]byte(text), &e); err != nil {
		t.Fatalf("DecodeEvent(%.200s): %v", text, err)
	}
	return &e
}

func TestDecodeEventFields(t *testing.T) {
	t.Parallel()
	got := decodeEvent(t, ` {"id":"i", "timestamp":"2023-10-26T12:30:00+02:00","action":"a","status":"attempt","principalId":"p",
		"organizationId":"o","targetResourceType":"tt","targetResourceId":"ti","outcomeDescription":"od",
		"sessionContext":{"sessionId":"s","ipAddress":"ip","userAgent":"ua","geolocation":"g","device":{"os":"x"}},
		"correlationId":"c","eventVersion":"1.0","retentionPolicy":"r","dataClassification":"PHI","recordCount":12,
		"hash":"h","hashAlgorithm":"SHA-256","signature":"sg","algorithm":"HMAC-SHA256","keyId":"k",
		"Action":"other case","details":{"n":[1,2.50,1e400,-0,true,false,null,"x"]}} `)
	want := &monitor.Event{
		ID: "i", Action: "a", Status: monitor.StatusAttempt, PrincipalID: "p", OrganizationID: "o",
		TargetResourceType: "tt", TargetResourceID: "ti", OutcomeDescription: "od",
		Session: monitor.Session{
			ID: "s", IPAddress: "ip", UserAgent: "ua", Geolocation: "g",
			Details: map[string]any{"device": map[string]any{"os": "x"}},
		},
		CorrelationID: "c", EventVersion: "1.0", RetentionPolicy: "r",
		DataClassification: monitor.ClassificationPHI, RecordCount: 12,
		Hash: "h", HashAlgorithm: "SHA-256", Signature: "sg", SignatureAlgorithm: "HMAC-SHA256", KeyID: "k",
		Details: map[string]any{
			"Action": "other case",
			"details": map[string]any{"n": []any{
				json.Number("1"), json.Number("2.50"), json.Number("1e400"), json.Number("-0"), true, false, nil, "x",
			}},
		},
	}
	if err := want.SetTimestampText("2023-10-26T12:30:00+02:00"); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
}

// TestDecodeEventEdges reads the hard cases of the reference's vectors.
func TestDecodeEventEdges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		field func(e *monitor.Event) string
		want  string
	}{
		"duplicate key":          {`{"timestamp":"2023-10-26T10:30:00.000Z","action":"first","action":"userLogin","status":"success"}`, actionOf, "userLogin"},
		"key order":              {`{"status":"success","outcomeDescription":"ok","action":"userLogin","timestamp":"2023-10-26T10:30:00.000Z"}`, actionOf, "userLogin"},
		"empty action":           {`{"timestamp":"2023-10-26T10:30:00.000Z","action":"","status":"success"}`, actionOf, ""},
		"offset timestamp":       {`{"timestamp":"2023-10-26T12:30:00+02:00","action":"a","status":"success"}`, (*monitor.Event).TimestampText, "2023-10-26T12:30:00+02:00"},
		"no milliseconds":        {`{"timestamp":"2023-10-26T10:30:00Z","action":"a","status":"success"}`, (*monitor.Event).TimestampText, "2023-10-26T10:30:00Z"},
		"nanoseconds":            {`{"timestamp":"2023-10-26T10:30:00.123456789Z","action":"a","status":"success"}`, (*monitor.Event).TimestampText, "2023-10-26T10:30:00.123456789Z"},
		"postgres timestamp":     {`{"timestamp":"2023-10-26 10:30:00+00","action":"a","status":"success"}`, (*monitor.Event).TimestampText, "2023-10-26 10:30:00+00"},
		"escaped timestamp":      {`{"timestamp":"2023-10-26T10:30:00\u005a","action":"a","status":"success"}`, (*monitor.Event).TimestampText, "2023-10-26T10:30:00Z"},
		"controls":               {`{` + requiredFields + `,"outcomeDescription":"\u0000\u0001\b\t\n\u000b\f\r\u001f"}`, outcomeOf, "\x00\x01\b\t\n\v\f\r\x1f"},
		"escaped slash":          {`{` + requiredFields + `,"outcomeDescription":"a\/b \u0041\u00e9"}`, outcomeOf, "a/b Aé"},
		"quotes":                 {`{` + requiredFields + `,"outcomeDescription":"<b>&\"'\\</b>"}`, outcomeOf, `<b>&"'\</b>`},
		"emoji":                  {`{` + requiredFields + `,"outcomeDescription":"👩‍⚕️ 😀"}`, outcomeOf, "👩‍⚕️ 😀"},
		"surrogate pair":         {`{` + requiredFields + `,"outcomeDescription":"x\uD83D\uDE00y"}`, outcomeOf, "x😀y"},
		"replacement":            {`{` + requiredFields + `,"outcomeDescription":"�"}`, outcomeOf, "\ufffd"},
		"replacement escaped":    {`{` + requiredFields + `,"outcomeDescription":"\ufffd"}`, outcomeOf, "\ufffd"},
		"line separators":        {`{` + requiredFields + ",\"outcomeDescription\":\"a\u2028b\u2029c\"}", outcomeOf, "a\u2028b\u2029c"},
		"null":                   {`{` + requiredFields + `,"outcomeDescription":null}`, outcomeOf, ""},
		"null after text":        {`{` + requiredFields + `,"outcomeDescription":"x","outcomeDescription":null}`, outcomeOf, ""},
		"escaped name":           {`{` + requiredFields + `,"outcome\u0044escription":"x"}`, outcomeOf, "x"},
		"session null":           {`{` + requiredFields + `,"sessionContext":{"ipAddress":"1"},"sessionContext":null}`, addressOf, ""},
		"session twice":          {`{` + requiredFields + `,"sessionContext":{"ipAddress":"1"},"sessionContext":{"sessionId":"s"}}`, addressOf, ""},
		"session field twice":    {`{` + requiredFields + `,"sessionContext":{"ipAddress":"1","ipAddress":"2"}}`, addressOf, "2"},
		"unknown twice":          {`{` + requiredFields + `,"x":1,"x":{"y":2,"y":3}}`, func(e *monitor.Event) string { return fmt.Sprint(e.Details) }, "map[x:map[y:3]]"},
		"count null":             {`{` + requiredFields + `,"recordCount":7,"recordCount":null}`, countOf, "0"},
		"count twice":            {`{` + requiredFields + `,"recordCount":7,"recordCount":8}`, countOf, "8"},
		"count with a fraction":  {`{` + requiredFields + `,"recordCount":5.0}`, countOf, "5"},
		"count with an exponent": {`{` + requiredFields + `,"recordCount":0.0500E+2}`, countOf, "5"},
		"small exponent":         {`{` + requiredFields + `,"recordCount":500e-2}`, countOf, "5"},
		"no count":               {`{` + requiredFields + `,"recordCount":-0.0e-7}`, countOf, "0"},
		"greatest, fraction":     {`{` + requiredFields + `,"recordCount":922337203685477580.70e1}`, countOf, "9223372036854775807"},
		"user agent":             {`{` + requiredFields + ",\"sessionContext\":{\"userAgent\":\"a\xff\xfeb\"}}", agentOf, "a\ufffdb"},
		"half a surrogate pair":  {`{` + requiredFields + `,"sessionContext":{"userAgent":"\ud800\u0041\udc00\ud83d\ude00"}}`, agentOf, "\ufffdA\ufffd😀"},
		"long user agent":        {`{` + requiredFields + `,"sessionContext":{"userAgent":"` + strings.Repeat("x", 9000) + `"}}`, agentOf, strings.Repeat("x", 9000)},
		"details":                {`{` + requiredFields + `,"x":["\ud800",{"` + "\xff" + `":"\udc00"}]}`, func(e *monitor.Event) string { return fmt.Sprint(e.Details) }, "map[x:[\ufffd map[\ufffd:\ufffd]]]"},
		"greatest count":         {`{` + requiredFields + `,"recordCount":9223372036854775807}`, countOf, "9223372036854775807"},
		"empty name":             {`{` + requiredFields + `,"":1}`, func(e *monitor.Event) string { return fmt.Sprint(e.Details) }, "map[:1]"},
		"white space everywhere": {"\r\n{ \"timestamp\"\t: \"2023-10-26T10:30:00Z\" ,\n\"action\" :\"a\", \"status\":\"success\" } \n", actionOf, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.field(decodeEvent(t, test.text)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func actionOf(e *monitor.Event) string  { return e.Action }
func outcomeOf(e *monitor.Event) string { return e.OutcomeDescription }
func addressOf(e *monitor.Event) string { return e.Session.IPAddress }
func agentOf(e *monitor.Event) string   { return e.Session.UserAgent }
func countOf(e *monitor.Event) string   { return fmt.Sprint(e.RecordCount) }

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	with := func(fields string) string { return `{` + requiredFields + `,` + fields + `}` }
	long := strings.Repeat("x", monitor.MaxFieldSize+1)
	for name, test := range map[string]struct {
		text  string
		field string
		want  string // part of the error
	}{
		"empty text":             {``, "", "ends where an object"},
		"white space":            {" \n", "", "ends where an object"},
		"null event":             {`null`, "", "an object is expected"},
		"array":                  {`[]`, "", "an object is expected"},
		"byte order mark":        {"\ufeff{}", "", "an object is expected"},
		"two events":             {`{` + requiredFields + `} {}`, "", "nothing behind"},
		"trailing comma":         {`{` + requiredFields + `,}`, "", "a field name"},
		"no comma":               {`{"action":"a" "status":"success"}`, "", "a comma"},
		"no colon":               {`{"action" "a"}`, "", "a colon"},
		"name without quotes":    {`{action:"a"}`, "", "a field name"},
		"cut in a name":          {`{"acti`, "", "the end of a string"},
		"cut in a string":        {`{"action":"us`, "action", "the end of a string"},
		"cut in an escape":       {`{"action":"us\`, "action", "an escape"},
		"cut behind an escape":   {`{"action":"us\n`, "action", "the end of a string"},
		"cut before a value":     {`{"action":`, "action", "ends where a string"},
		"cut in a literal":       {`{"action":nul`, "action", "null is expected"},
		"cut after a field":      {`{"action":"a"`, "", "a comma or the end"},
		"cut in details":         {with(`"x":{"y":[1`), "x", "the end of the array"},
		"unknown escape":         {with(`"principalId":"\x"`), "principalId", "an escape"},
		"hex escape":             {with(`"principalId":"\u00g0"`), "principalId", "a hex digit"},
		"line break in a string": {with("\"principalId\":\"a\nb\""), "principalId", "an escape"},
		"control after escape":   {with("\"principalId\":\"\\t\x01\""), "principalId", "an escape"},
		"control in details":     {with("\"x\":\"a\x00\""), "x", "an escape"},
		"invalid UTF-8":          {with("\"principalId\":\"a\xff\""), "principalId", "UTF-8"},
		"invalid UTF-8, escapes": {with("\"principalId\":\"\\t\xc3\""), "principalId", "UTF-8"},
		"invalid UTF-8 name":     {with("\"\xff\":1"), "", "UTF-8"},
		"continuation byte":      {with("\"principalId\":\"\x80\""), "principalId", "UTF-8"},
		"surrogate in UTF-8":     {with("\"principalId\":\"\xed\xa0\x80\""), "principalId", "UTF-8"},
		"lone high surrogate":    {with(`"outcomeDescription":"x\ud800y"`), "outcomeDescription", "surrogate"},
		"lone low surrogate":     {with(`"outcomeDescription":"x\udc00y"`), "outcomeDescription", "surrogate"},
		"swapped surrogates":     {with(`"outcomeDescription":"\udc00\ud800"`), "outcomeDescription", "surrogate"},
		"two high surrogates":    {with(`"outcomeDescription":"\ud800\ud800"`), "outcomeDescription", "surrogate"},
		"high and no surrogate":  {with(`"outcomeDescription":"\ud800\u0041"`), "outcomeDescription", "surrogate"},
		"surrogate at the end":   {with(`"outcomeDescription":"\ud800"`), "outcomeDescription", "surrogate"},
		"surrogate in a name":    {with(`"\ud800":1`), "", "surrogate"},

		"no timestamp":         {`{"action":"a","status":"success"}`, "timestamp", "missing"},
		"null timestamp":       {`{"timestamp":null,"action":"a","status":"success"}`, "timestamp", "missing"},
		"number timestamp":     {`{"timestamp":1698316200000,"action":"a","status":"success"}`, "timestamp", "a number where a string"},
		"no time":              {`{"timestamp":"yesterday","action":"a","status":"success"}`, "timestamp", "RFC 3339"},
		"year 1":               {`{"timestamp":"0001-01-01T00:00:00Z","action":"a","status":"success"}`, "timestamp", "year 1 "},
		"year 9999":            {`{"timestamp":"9999-12-31T23:59:59Z","action":"a","status":"success"}`, "timestamp", "year 9999 "},
		"no action":            {`{"timestamp":"2023-10-26T10:30:00Z","status":"success"}`, "action", "missing"},
		"null action":          {`{"timestamp":"2023-10-26T10:30:00Z","action":null,"status":"success"}`, "action", "missing"},
		"action then null":     {`{"timestamp":"2023-10-26T10:30:00Z","action":"a","action":null,"status":"success"}`, "action", "missing"},
		"boolean action":       {`{"timestamp":"2023-10-26T10:30:00Z","action":true,"status":"success"}`, "action", "a boolean where a string"},
		"action in other case": {`{"timestamp":"2023-10-26T10:30:00Z","Action":"a","status":"success"}`, "action", "missing"},
		"no status":            {`{"timestamp":"2023-10-26T10:30:00Z","action":"a"}`, "status", "missing"},
		"unknown status":       {`{"timestamp":"2023-10-26T10:30:00Z","action":"a","status":"Success"}`, "status", `"Success" is not attempt, success or failure`},
		"object for a string":  {with(`"principalId":{"a":1}`), "principalId", "an object where a string"},
		"array for a string":   {with(`"keyId":[]`), "keyId", "an array where a string"},
		"session is a string":  {with(`"sessionContext":"s"`), "sessionContext", "a string where an object"},
		"session is an array":  {with(`"sessionContext":[1]`), "sessionContext", "an array where an object"},
		"session syntax":       {with(`"sessionContext":{1}`), "sessionContext", "a field name"},
		"session address":      {with(`"sessionContext":{"ipAddress":1}`), "sessionContext.ipAddress", "a number where a string"},
		"session detail":       {with(`"sessionContext":{"x":tru}`), "sessionContext.x", "true is expected"},
		"count is a string":    {with(`"recordCount":"12"`), "recordCount", "a string where a number"},
		"negative count":       {with(`"recordCount":-1`), "recordCount", "not a whole number"},
		"fraction of a count":  {with(`"recordCount":12.5`), "recordCount", "not a whole number"},
		"exponent of a count":  {with(`"recordCount":12e-1`), "recordCount", "not a whole number"},
		"small exponent":       {with(`"recordCount":1e-99999999999999999999`), "recordCount", "not a whole number"},
		"negative fraction":    {with(`"recordCount":-5.0`), "recordCount", "not a whole number"},
		"count too great":      {with(`"recordCount":9223372036854775808`), "recordCount", "more than"},
		"great exponent":       {with(`"recordCount":1e99999999999999999999`), "recordCount", "more than"},
		"too great, fraction":  {with(`"recordCount":9223372036854775808.0`), "recordCount", "more than"},
		"count with zeros":     {with(`"recordCount":012`), "", "a comma"},
		"number without digit": {with(`"x":-`), "x", "a digit"},
		"number ends in dot":   {with(`"x":1.`), "x", "a digit"},
		"number ends in e":     {with(`"x":1e+`), "x", "a digit"},
		"not a number":         {with(`"x":NaN`), "x", "a value"},
		"long unknown name":    {with(`"` + strings.Repeat("é", 50) + `":x`), strings.Repeat("é", 32) + "...", "a value"},

		"field too large":  {with(`"principalId":"` + long + `"`), "principalId", "too large"},
		"event too large":  {with(`"x":"` + strings.Repeat("x", 10<<20) + `"`), "", "too large"},
		"objects too deep": {with(`"x":` + strings.Repeat(`{"y":`, 64) + `1` + strings.Repeat(`}`, 64)), "x", "deeper than 64"},
		"arrays too deep":  {with(`"x":` + strings.Repeat(`[`, 100_000)), "x", "deeper than 64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := monitor.Event{Action: "before"}
			e := before
			err := monitor.DecodeEvent([]byte(test.text), &e)
			var invalid *monitor.InvalidEventError
			if !errors.As(err, &invalid) {
				t.Fatalf("got error %v, want an InvalidEventError", err)
			}
			if invalid.Field != test.field || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got field %q, error %v; want field %q, error with %q", invalid.Field, err, test.field, test.want)
			}
			if got := errors.Is(err, monitor.ErrTooLarge); got != (test.want == "too large") {
				t.Errorf("errors.Is(%v, ErrTooLarge) is %t", err, got)
			}
			if !reflect.DeepEqual(e, before) {
				t.Errorf("the event was changed to %+v", e)
			}
		})
	}
}

func TestDecodeEventLimitsAreInclusive(t *testing.T) {
	t.Parallel()
	e := decodeEvent(t, `{`+requiredFields+`,"principalId":"`+strings.Repeat("x", monitor.MaxFieldSize)+
		`","x":`+strings.Repeat(`[`, 63)+strings.Repeat(`]`, 63)+
		`,"y":`+strings.Repeat(`{"z":`, 63)+`1`+strings.Repeat(`}`, 63)+`}`)
	if len(e.PrincipalID) != monitor.MaxFieldSize {
		t.Errorf("principal has %d bytes", len(e.PrincipalID))
	}
	if _, err := e.AppendJSON(nil); err != nil {
		t.Errorf("the deepest event does not encode: %v", err)
	}
	head := `{` + requiredFields + `,"x":"`
	e = decodeEvent(t, head+strings.Repeat("x", monitor.MaxEventSize-len(head)-2)+`"}`)
	if text, err := e.AppendJSON(nil); err != nil || len(text) != monitor.MaxEventSize {
		t.Errorf("the largest event encodes to %d bytes, error %v", len(text), err)
	}
}

// TestDecodeEventKeepsNothing changes the text after it was decoded.
func TestDecodeEventKeepsNothing(t *testing.T) {
	t.Parallel()
	text := []byte(typicalEvent)
	var e monitor.Event
	if err := monitor.DecodeEvent(text, &e); err != nil {
		t.Fatal(err)
	}
	clear(text)
	if want := decodeEvent(t, typicalEvent); !reflect.DeepEqual(&e, want) {
		t.Errorf("got %+v, want %+v", &e, want)
	}
}

func TestEventJSONStandardLibrary(t *testing.T) {
	t.Parallel()
	var list []monitor.Event
	if err := json.Unmarshal([]byte(`[`+typicalEvent+`]`), &list); err != nil {
		t.Fatal(err)
	}
	if want := decodeEvent(t, typicalEvent); !reflect.DeepEqual(&list[0], want) {
		t.Errorf("got %+v, want %+v", &list[0], want)
	}
	// As a value, not a pointer, too.
	text, err := json.Marshal(list[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != typicalEvent {
		t.Errorf("got  %s\nwant %s", text, typicalEvent)
	}
	err = json.Unmarshal([]byte(`{"action":1}`), &list[0])
	var invalid *monitor.InvalidEventError
	if !errors.As(err, &invalid) || invalid.Field != "action" {
		t.Errorf("got error %v", err)
	}
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	e := monitor.Event{
		Timestamp: time.Date(2023, 10, 26, 12, 30, 0, 123456789, time.FixedZone("", 7200)),
		Action:    "a\"\\\b\n\r\t\x1f\x7f</é\u2028😀", Status: monitor.StatusFailure,
		Session: monitor.Session{Details: map[string]any{"asn": 64500}},
		Details: map[string]any{
			"b": []string{"<x>", "y"}, "a": map[string]any{"z": nil, "y": 1.5, "x": []any{}},
			"big": uint64(math.MaxUint64), "when": time.Unix(0, 0).UTC(), "exact": json.Number("1.50e+3"),
		},
	}
	const want = `>{"timestamp":"2023-10-26T10:30:00.123Z","action":"a\"\\\b\n\r\t\u001f` + "\x7f</é\u2028😀" +
		`","status":"failure","sessionContext":{"asn":64500},"a":{"x":[],"y":1.5,"z":null},` +
		`"b":["<x>","y"],"big":18446744073709551615,"exact":1.50e+3,"when":"1970-01-01T00:00:00Z"}`
	got, err := e.AppendJSON([]byte(">"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendJSONRefuses(t *testing.T) {
	t.Parallel()
	cycle := map[string]any{}
	cycle["self"] = cycle
	array := []any{nil}
	array[0] = array
	detail := func(name string, v any) func(*monitor.Event) {
		return func(e *monitor.Event) { e.Details = map[string]any{name: v} }
	}
	for name, test := range map[string]struct {
		change func(*monitor.Event)
		field  string
	}{
		"no timestamp":           {func(e *monitor.Event) { e.Timestamp = time.Time{} }, "timestamp"},
		"status":                 {func(e *monitor.Event) { e.Status = "" }, "status"},
		"invalid UTF-8":          {func(e *monitor.Event) { e.Session.UserAgent = "\xff" }, "sessionContext.userAgent"},
		"detail named as field":  {detail("principalId", "x"), "principalId"},
		"detail named timestamp": {detail("timestamp", "x"), "timestamp"},
		"detail named session":   {detail("sessionContext", nil), "sessionContext"},
		"detail named count":     {detail("recordCount", 1), "recordCount"},
		"session detail": {func(e *monitor.Event) {
			e.Session.Details = map[string]any{"ipAddress": "x"}
		}, "sessionContext.ipAddress"},
		"NaN":                {detail("x", math.NaN()), "x"},
		"infinity in a map":  {detail("x", map[string]any{"y": math.Inf(1)}), "x"},
		"channel":            {detail("x", make(chan int)), "x"},
		"bad number":         {detail("x", json.Number("1x")), "x"},
		"no number":          {detail("x", json.Number("")), "x"},
		"detail UTF-8":       {detail("x", []any{"\xff"}), "x"},
		"detail name UTF-8":  {detail("\xff", 1), "\xff"},
		"nested name UTF-8":  {detail("x", map[string]any{"\xff": 1}), "x"},
		"cyclic map":         {detail("x", cycle), "x"},
		"cyclic array":       {detail("x", array), "x"},
		"deep raw JSON":      {detail("x", json.RawMessage(strings.Repeat("[", 64)+strings.Repeat("]", 64))), "x"},
		"surrogate raw JSON": {detail("x", json.RawMessage(`"\ud800"`)), "x"},
		"too large":          {detail("x", strings.Repeat("x", monitor.MaxEventSize)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeEvent(t, typicalEvent)
			test.change(e)
			got, err := e.AppendJSON([]byte("before"))
			var invalid *monitor.InvalidEventError
			if !errors.As(err, &invalid) || invalid.Field != test.field {
				t.Errorf("got error %v, want one for %q", err, test.field)
			}
			if string(got) != "before" {
				t.Errorf("got %.40q, want the bytes before", got)
			}
		})
	}
}

func TestEventJSONAllocations(t *testing.T) {
	text := []byte(typicalEvent)
	var e monitor.Event
	if n := testing.AllocsPerRun(100, func() {
		if err := monitor.DecodeEvent(text, &e); err != nil {
			t.Fatal(err)
		}
	}); n > 2 {
		t.Errorf("decoding allocates %v times, want 2: the text and the ID", n)
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := e.AppendJSON(buf); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("encoding allocates %v times", n)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, seed := range []string{
		typicalEvent,
		`{` + requiredFields + `}`,
		`{` + requiredFields + `,"recordCount":12,"details":{"a":[1,2.5,1e+21,null,true],"b":" .\u0001"}}`,
		`{` + requiredFields + `,"sessionContext":{"sessionId":"x","device":{"os":"😀"}},"sessionContext":null}`,
		`{"timestamp":"2023-10-26 10:30:00+00","action":"\ud83d\ude00\/","action":"","status":"attempt"}`,
		`{` + requiredFields + `,"outcomeDescription":"\ud800"}`,
		`{` + requiredFields + `,"id":"\ud800","recordCount":5.0,"sessionContext":{"userAgent":"\ud800"}}`,
		`{` + requiredFields + `,"x":{"x":1,"x":-0.0e-1}} x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var e monitor.Event
		if err := monitor.DecodeEvent(text, &e); err != nil {
			var invalid *monitor.InvalidEventError
			if !errors.As(err, &invalid) {
				t.Fatalf("error %v is no InvalidEventError", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("decoded what is no JSON: %q", text)
		}
		again, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatalf("encode %q: %v", text, err)
		}
		var f monitor.Event
		if err := monitor.DecodeEvent(again, &f); err != nil {
			t.Fatalf("decode %q, encoded from %q: %v", again, text, err)
		}
		if !reflect.DeepEqual(e, f) {
			t.Fatalf("%q decodes to\n%+v\nand %q to\n%+v", text, e, again, f)
		}
		if !utf8.Valid(text) || bytes.Contains(text, []byte(`\u`)) {
			return // encoding/json replaces other parts of it
		}
		if got, want := plain(t, again), plain(t, text); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %v to encoding/json and %q is %v", text, want, again, got)
		}
	})
}

// plain is how encoding/json sees an event, without fields that are the same as
// no field.
func plain(t *testing.T, text []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	delete(m, "recordCount") // it can be written in several ways
	known := func(m map[string]any, names ...string) {
		for _, name := range names {
			if v := m[name]; v == nil || v == "" {
				delete(m, name)
			}
		}
	}
	known(m, "id", "principalId", "organizationId", "targetResourceType", "targetResourceId", "outcomeDescription",
		"sessionContext", "correlationId", "eventVersion", "retentionPolicy", "dataClassification", "recordCount",
		"hash", "hashAlgorithm", "signature", "algorithm", "keyId")
	if m["recordCount"] == json.Number("0") {
		delete(m, "recordCount")
	}
	if session, ok := m["sessionContext"].(map[string]any); ok {
		known(session, "sessionId", "ipAddress", "userAgent", "geolocation")
		if len(session) == 0 {
			delete(m, "sessionContext")
		}
	}
	return m
}

func ExampleDecodeEvent() {
	line := []byte(`{"timestamp":"2023-10-26T12:30:00+02:00","action":"data.read","status":"success",` +
		`"principalId":"alice","sessionContext":{"ipAddress":"203.0.113.7"},"ward":7}`)
	var e monitor.Event
	if err := monitor.DecodeEvent(line, &e); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Timestamp, e.Action, e.PrincipalID, e.Session.IPAddress, e.Details["ward"])

	err := monitor.DecodeEvent([]byte(`{"timestamp":"2023-10-26T12:30:00Z","action":"data.read","status":"ok"}`), &e)
	fmt.Println(err)
	// Output:
	// 2023-10-26 10:30:00 +0000 UTC data.read alice 203.0.113.7 7
	// monitor: invalid event: field "status": "ok" is not attempt, success or failure
}

func BenchmarkDecodeEvent(b *testing.B) {
	text := []byte(typicalEvent)
	b.Run("this", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		var e monitor.Event
		for b.Loop() {
			if err := monitor.DecodeEvent(text, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encodingjson", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var e plainEvent
			if err := json.Unmarshal(text, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	b.Run("this", func(b *testing.B) {
		var e monitor.Event
		if err := monitor.DecodeEvent([]byte(typicalEvent), &e); err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 1024)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.AppendJSON(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encodingjson", func(b *testing.B) {
		var e plainEvent
		if err := json.Unmarshal([]byte(typicalEvent), &e); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// plainEvent is the event as encoding/json would decode it, for comparison.
type plainEvent struct {
	ID                 string    `json:"id,omitempty"`
	Timestamp          time.Time `json:"timestamp"`
	Action             string    `json:"action"`
	Status             string    `json:"status"`
	PrincipalID        string    `json:"principalId,omitempty"`
	OrganizationID     string    `json:"organizationId,omitempty"`
	TargetResourceType string    `json:"targetResourceType,omitempty"`
	TargetResourceID   string    `json:"targetResourceId,omitempty"`
	OutcomeDescription string    `json:"outcomeDescription,omitempty"`
	Session            struct {
		ID          string `json:"sessionId,omitempty"`
		IPAddress   string `json:"ipAddress,omitempty"`
		UserAgent   string `json:"userAgent,omitempty"`
		Geolocation string `json:"geolocation,omitempty"`
	} `json:"sessionContext"`
	CorrelationID      string `json:"correlationId,omitempty"`
	EventVersion       string `json:"eventVersion,omitempty"`
	RetentionPolicy    string `json:"retentionPolicy,omitempty"`
	DataClassification string `json:"dataClassification,omitempty"`
	RecordCount        int64  `json:"recordCount,omitempty"`
	Hash               string `json:"hash,omitempty"`
	HashAlgorithm      string `json:"hashAlgorithm,omitempty"`
	Signature          string `json:"signature,omitempty"`
	SignatureAlgorithm string `json:"algorithm,omitempty"`
	KeyID              string `json:"keyId,omitempty"`
}
