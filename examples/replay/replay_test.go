package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
)

// replayed runs the command on an input and returns what it prints.
func replayed(t *testing.T, input string, args ...string) (status int, out, messages string) {
	t.Helper()
	var stdout, stderr strings.Builder
	status = run(append(args, "-"), strings.NewReader(input), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// findings runs the command on an input that has no bad lines.
func findings(t *testing.T, input string, args ...string) []finding {
	t.Helper()
	status, out, messages := replayed(t, input, args...)
	assert.Equal(t, statusOK, status)
	assert.Empty(t, messages)
	return decoded(t, out)
}

func decoded(t *testing.T, out string) []finding {
	t.Helper()
	var all []finding
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var f finding
		err := d.Decode(&f)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, f)
	}
}

// lines tells the line, the completing one if there is one, and the count of
// each finding.
func lines(found []finding) string {
	var all []string
	for _, f := range found {
		if f.CompletedBy != 0 {
			all = append(all, fmt.Sprintf("%d<%d:%d", f.Line, f.CompletedBy, f.Count))
		} else {
			all = append(all, fmt.Sprintf("%d:%d", f.Line, f.Count))
		}
	}
	return strings.Join(all, " ")
}

// login returns the line of a failed login.
func login(timestamp string) string {
	return fmt.Sprintf(`{"timestamp":%q,"action":"auth.login.failure","status":"failure","principalId":"mallory","organizationId":"acme"}`+"\n", timestamp)
}

// logins returns failed logins at these seconds after ten.
func logins(seconds ...int) string {
	var b strings.Builder
	for _, s := range seconds {
		b.WriteString(login(time.Date(2026, 3, 11, 10, 0, s, 0, time.UTC).Format(time.RFC3339)))
	}
	return b.String()
}

const thresholds = "testdata/thresholds.json"

func TestJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	status := run([]string{"-config", thresholds, "testdata/day.jsonl"}, nil, &stdout, &stderr)
	const want = `{"line":3,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"192.0.2.7","count":3,"timestamp":"2026-03-11T10:00:20.000Z"}
{"line":4,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"192.0.2.7","count":4,"timestamp":"2026-03-11T10:00:30.000Z"}
{"line":6,"rule":"unauthorized_access","severity":"CRITICAL","organizationId":"acme","key":"eve","count":2,"timestamp":"2026-03-11T11:01:00+01:00"}
{"line":9,"rule":"data_velocity","severity":"MEDIUM","organizationId":"acme","key":"sam","count":3,"timestamp":"2026-03-11T12:00:03.500250Z"}
{"line":11,"rule":"bulk_operation","severity":"MEDIUM","organizationId":"acme","key":"acme","count":2,"timestamp":"2026-03-11T13:04:59Z"}
{"line":12,"rule":"off_hours","severity":"LOW","organizationId":"acme","key":"unknown","count":1,"timestamp":"2026-03-11T21:30:00Z"}
`
	assert.Equal(t, statusOK, status)
	assert.Equal(t, want, stdout.String()) //nolint:testifylint // lines, and the order of their fields
	assert.Empty(t, stderr.String())
}

// TestKey has a key that is no name: it is printed as it is.
func TestKey(t *testing.T) {
	t.Parallel()
	input := strings.ReplaceAll(logins(1, 2, 3), "mallory", `<b>&\u001b\"`)
	_, out, _ := replayed(t, input, "-config", thresholds)
	assert.Contains(t, out, `"key":"<b>&\u001b\""`)
}

func TestTable(t *testing.T) {
	t.Parallel()
	input := login("2026-03-11T10:00:00.000Z") + login("2026-03-11T10:00:01.000Z") + login("2026-03-11T10:00:04Z") +
		login("2026-03-11T11:00:03+01:00") +
		strings.ReplaceAll(logins(7, 8, 9), "mallory", `\u001b[31m`) +
		strings.ReplaceAll(logins(5, 6, 7), "acme", "other")
	status, out, messages := replayed(t, input, "-config", thresholds, "-format", "table")
	const want = `RULE         ORGANIZATION  KEY         FIRST                      LAST                  EVENTS
failed_auth  acme          mallory     2026-03-11T11:00:03+01:00  2026-03-11T10:00:04Z  2
failed_auth  other         mallory     2026-03-11T10:00:07Z       2026-03-11T10:00:07Z  1
failed_auth  acme          "\x1b[31m"  2026-03-11T10:00:09Z       2026-03-11T10:00:09Z  1
`
	assert.Equal(t, statusOK, status)
	assert.Equal(t, want, out)
	assert.Empty(t, messages)
}

// TestBadLines has every kind of bad line between good ones.
func TestBadLines(t *testing.T) {
	t.Parallel()
	input := strings.Join([]string{
		strings.TrimSpace(logins(1)),
		`{"timestamp":`,
		``,
		" \t\r",
		`{"timestamp":"2026-03-11T10:00:00Z","action":7,"status":"failure"}`,
		`{"timestamp":"2026-03-11T10:00:00Z","action":"a","status":"failed"}`,
		`{"timestamp":"yesterday","action":"a","status":"failure"}`,
		`{"timestamp":"2026-03-11T10:00:00Z","action":"","status":"failure","organizationId":"acme"}`,
		`{"timestamp":"2026-03-11T10:00:00Z","action":"a","status":"failure"}`,
		"{\"timestamp\":\"2026-03-11T10:00:00Z\",\"action\":\"\xff\",\"status\":\"failure\"}",
		`[]`,
		`{"long":"` + strings.Repeat("x", monitor.MaxEventSize) + `"}`,
		strings.TrimSpace(logins(2)) + "\r",
		strings.TrimSpace(logins(3)),
	}, "\n")
	status, out, messages := replayed(t, input, "-config", thresholds)
	assert.Equal(t, statusBadLines, status)
	assert.Equal(t, "14:3", lines(decoded(t, out)))
	want := []string{
		`replay: line 2: `,
		`replay: line 5: field "action": a number where a string is expected`,
		`replay: line 6: field "status": `,
		`replay: line 7: field "timestamp": `,
		`replay: line 8: field "action": missing`,
		`replay: line 9: field "organizationId": missing`,
		`replay: line 10: field "action": `,
		`replay: line 11: '[' at offset 0 where an object is expected`,
		`replay: line 12: the line is longer than 1048576 bytes: too large`,
		`replay: bad lines: 9`,
	}
	got := strings.Split(strings.TrimSpace(messages), "\n")
	require.Len(t, got, len(want))
	for i := range want {
		assert.True(t, strings.HasPrefix(got[i], want[i]), "message %q, want %q", got[i], want[i])
		assert.LessOrEqual(t, len(got[i]), 200)
	}
}

// TestLate has lines that make earlier ones qualify. The timestamps are printed
// as they are written in their own lines.
func TestLate(t *testing.T) {
	t.Parallel()
	input := login("2026-03-11T10:00:30.000Z") + "\nno event\n" + login("2026-03-11T11:00:40.5+01:00") +
		login("2026-03-11T10:00:20Z") + login("2026-03-11T10:00:35Z")
	status, out, messages := replayed(t, input, "-config", thresholds)
	assert.Equal(t, statusBadLines, status)
	assert.Contains(t, messages, "line 3:")
	found := decoded(t, out)
	require.Equal(t, "4<5:3 6:3", lines(found))
	assert.Equal(t, "2026-03-11T11:00:40.5+01:00", found[0].Timestamp)
}

func TestLateness(t *testing.T) {
	t.Parallel()
	const message = "replay: events that came too late to be counted in their place (see -lateness): 1\n"
	for _, c := range []struct {
		lateness, want, message string
	}{
		{"10s", "2<3:3", ""},
		{"9.9s", "", message},
		{"0", "", message},
	} {
		status, out, messages := replayed(t, logins(10, 20, 10), "-config", thresholds, "-lateness", c.lateness)
		assert.Equal(t, statusOK, status, "lateness %s", c.lateness)
		assert.Equal(t, c.want, lines(decoded(t, out)), "lateness %s", c.lateness)
		assert.Equal(t, c.message, messages, "lateness %s", c.lateness)
	}
	assert.Empty(t, findings(t, logins(600, 610, 10), "-config", thresholds))
	assert.Equal(t, "4:3", lines(findings(t, logins(620, 20, 30, 40), "-config", thresholds)))
}

func TestCooldown(t *testing.T) {
	t.Parallel()
	input := logins(1, 2, 3, 4, 13, 14)
	for cooldown, want := range map[string]string{
		"0": "3:3 4:4 5:5 6:6", "10s": "3:3 5:5", "11s": "3:3 6:6", "1h": "3:3",
	} {
		assert.Equal(t, want, lines(findings(t, input, "-config", thresholds, "-cooldown", cooldown)), "cooldown %s", cooldown)
	}
	assert.Equal(t, "3:3 4:4 5:5 6:6", lines(findings(t, input, "-config", thresholds)))
}

func TestTimezone(t *testing.T) {
	t.Parallel()
	// 04:30 in New York, 10:30 in Vienna, 18:30 in Tokyo.
	const input = `{"timestamp":"2026-03-11T09:30:00Z","action":"data.read","status":"success","organizationId":"acme"}`
	for zone, want := range map[string]string{"": "", "America/New_York": "1:1", "Asia/Tokyo": "", "Asia/Kolkata": ""} {
		assert.Equal(t, want, lines(findings(t, input, "-config", thresholds, "-timezone", zone)), zone)
	}
	// 21:30 in UTC, 22:30 in Vienna.
	late := strings.ReplaceAll(input, "09:30", "21:30")
	assert.Empty(t, findings(t, late))
	assert.Equal(t, "1:1", lines(findings(t, late, "-config", thresholds)))
}

// TestVerify replays signed events, some of which were changed.
func TestVerify(t *testing.T) {
	t.Parallel()
	const secret = "short"
	key, err := crypto.NewHMACKey("some-key", []byte(secret), &crypto.KeyOptions{AllowShort: true})
	require.NoError(t, err)
	signer, err := crypto.NewSigner(key)
	require.NoError(t, err)
	var input strings.Builder
	for i := range 7 {
		e := monitor.Event{
			Timestamp: time.Date(2026, 3, 11, 10, 0, i, 0, time.UTC), Action: "auth.login.failure",
			Status: monitor.StatusFailure, PrincipalID: "mallory", OrganizationID: "acme",
		}
		require.NoError(t, signer.Sign(t.Context(), &e))
		switch i {
		case 1:
			e.PrincipalID = "ada"
		case 2:
			e.Signature = ""
		case 3:
			e.PrincipalID, e.OrganizationID = "", "other"
		case 4:
			e.KeyID = ""
		}
		line, err := json.Marshal(&e)
		require.NoError(t, err)
		input.Write(append(line, '\n'))
	}

	status, out, messages := replayed(t, input.String(), "-config", thresholds, "-secret", secret, "-verify")
	const want = `{"line":2,"rule":"integrity","severity":"CRITICAL","organizationId":"acme","key":"ada","count":1,"timestamp":"2026-03-11T10:00:01.000Z"}
{"line":3,"rule":"integrity","severity":"CRITICAL","organizationId":"acme","key":"mallory","count":1,"timestamp":"2026-03-11T10:00:02.000Z"}
{"line":4,"rule":"integrity","severity":"CRITICAL","organizationId":"other","key":"unknown","count":1,"timestamp":"2026-03-11T10:00:03.000Z"}
{"line":6,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"mallory","count":3,"timestamp":"2026-03-11T10:00:05.000Z"}
{"line":7,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"mallory","count":4,"timestamp":"2026-03-11T10:00:06.000Z"}
`
	assert.Equal(t, statusOK, status)
	assert.Equal(t, want, out) //nolint:testifylint // lines, and the order of their fields
	assert.Empty(t, messages)
	for _, f := range findings(t, input.String(), "-secret", "another", "-verify") {
		assert.Equal(t, "integrity", f.Rule)
	}
	assert.Equal(t, "5:3 6:4 7:5", lines(findings(t, input.String(), "-config", thresholds)))
}

// TestUnusable has command lines, files and streams that are of no use.
func TestUnusable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const secret = "correct-horse-battery-staple-1234"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no file":                 {nil, "one FILE is needed, and there are 0"},
		"two files":               {[]string{"-", "-"}, "one FILE is needed, and there are 2"},
		"flags after the file":    {[]string{"-", "-order", "time"}, "one FILE is needed, and there are 3"},
		"missing file":            {[]string{filepath.Join(folder, "missing")}, "missing"},
		"folder":                  {[]string{folder}, "read"},
		"unknown flag":            {[]string{"-nonsense", "-"}, "-nonsense"},
		"order":                   {[]string{"-order", "size", "-"}, `-order: "size"`},
		"format":                  {[]string{"-format", "xml", "-"}, `-format: "xml"`},
		"cooldown":                {[]string{"-cooldown", "soon", "-"}, "-cooldown"},
		"negative cooldown":       {[]string{"-cooldown", "-1s", "-"}, "-cooldown: -1s is negative"},
		"negative lateness":       {[]string{"-lateness", "-1ns", "-"}, "-lateness: -1ns is negative"},
		"time zone":               {[]string{"-timezone", "Mars/Olympus", "-"}, `-timezone: "Mars/Olympus"`},
		"time zone of nowhere":    {[]string{"-timezone", "Local", "-"}, `-timezone: "Local"`},
		"missing config":          {[]string{"-config", filepath.Join(folder, "missing"), "-"}, "-config: open"},
		"malformed config":        {[]string{"-config", file("malformed", "{"), "-"}, "-config: detect: parse config"},
		"unknown field":           {[]string{"-config", file("unknown", `{"failedAuth":3}`), "-"}, `"failedAuth"`},
		"negative threshold":      {[]string{"-config", file("negative", `{"failedAuthThreshold":-3}`), "-"}, "failedAuthThreshold"},
		"time zone in the config": {[]string{"-config", file("zone", `{"timezone":"Nowhere"}`), "-"}, "timezone"},
		"verify without secret":   {[]string{"-verify", "-"}, "-verify needs -secret"},
		"secret without verify":   {[]string{"-secret", secret, "-"}, "-secret does nothing without -verify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			status := run(c.args, strings.NewReader(logins(1, 2, 3, 4, 5)), &stdout, &stderr)
			assert.Equal(t, statusUnusable, status)
			assert.Empty(t, stdout.String())
			got := stderr.String()
			assert.Regexp(t, `^replay: .*\n$`, got)
			assert.Contains(t, got, c.want)
			assert.NotContains(t, got, secret)
		})
	}
}

// TestBrokenStreams has an input that fails in the middle, and an output that
// fails.
func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, order := range []string{"file", "time"} {
		var stdout, stderr strings.Builder
		in := io.MultiReader(strings.NewReader(logins(1, 2, 3)+"bad\n"), iotest.ErrReader(broken))
		status := run([]string{"-config", thresholds, "-order", order, "-"}, in, &stdout, &stderr)
		assert.Equal(t, statusUnusable, status, order)
		assert.Contains(t, stderr.String(), broken.Error(), order)
		if order == "file" {
			assert.Equal(t, "3:3", lines(decoded(t, stdout.String())), "findings before the end")
		}
	}
	for _, format := range []string{"json", "table"} {
		var stderr strings.Builder
		status := run([]string{"-config", thresholds, "-format", format, "-"},
			strings.NewReader(logins(1, 2, 3)), brokenWriter{broken}, &stderr)
		assert.Equal(t, statusUnusable, status, format)
		assert.Contains(t, stderr.String(), broken.Error(), format)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	status := run([]string{"-h"}, nil, &stdout, &stderr)
	assert.Equal(t, statusOK, status)
	assert.Empty(t, stderr.String())
	for _, want := range []string{
		"Usage: replay", "ID of another", "-config", "-timezone", "-cooldown", "-lateness", "-order", "-format", "-secret", "-verify",
	} {
		assert.Contains(t, stdout.String(), want)
	}
}

// TestEmpty has inputs without events.
func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", "\n", "\n \n\t\r\n  "} {
		for _, order := range []string{"file", "time"} {
			assert.Empty(t, findings(t, input, "-order", order), "%q", input)
		}
	}
}

// TestFindingsAtOnce checks that a finding is printed before the next line is
// read.
func TestFindingsAtOnce(t *testing.T) {
	t.Parallel()
	in, feed := io.Pipe()
	out, printed := io.Pipe()
	ended := make(chan int)
	go func() { ended <- run([]string{"-config", thresholds, "-"}, in, printed, io.Discard) }()
	_, err := io.WriteString(feed, logins(1, 2, 3))
	require.NoError(t, err)
	var f finding
	require.NoError(t, json.NewDecoder(out).Decode(&f))
	assert.EqualValues(t, 3, f.Line)
	feed.Close()
	assert.Equal(t, statusOK, <-ended)
}

// A written event is a line with its time.
type written struct {
	at   time.Time
	line string
}

// randomEvents returns events of three organizations in order of time, with
// their timestamps written in many ways.
func randomEvents(random *rand.Rand, n int) []written {
	layouts := []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000000Z07:00", "2006-01-02 15:04:05.999-07",
	}
	var all []written
	now := time.Date(2026, 3, 11, 20, 0, 0, 0, time.UTC)
	for range n {
		now = now.Add(time.Duration(random.IntN(6000)) * time.Millisecond)
		zone := time.FixedZone("", 3600*random.IntN(3))
		e := map[string]any{
			"timestamp":      now.In(zone).Format(layouts[random.IntN(len(layouts))]),
			"status":         "failure",
			"principalId":    fmt.Sprint("user-", random.IntN(3)),
			"organizationId": fmt.Sprint("org-", random.IntN(3)),
		}
		switch random.IntN(4) {
		case 0:
			e["action"] = "auth.login.failure"
		case 1:
			e["action"], e["outcomeDescription"] = "admin.read", "FORBIDDEN"
		case 2:
			e["action"], e["status"] = "data.read", "success"
		case 3:
			e["action"], e["recordCount"] = "report.write", 20
		}
		line, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		all = append(all, written{now, string(line)})
	}
	return all
}

// TestOrder compares the order of a file with that of time.
func TestOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		const lateness = 5 * time.Minute
		var inOrder, shuffled []string
		all := randomEvents(random, 1500)
		for i := range all {
			inOrder = append(inOrder, all[i].line)
			all[i].at = all[i].at.Add(time.Duration(random.Int64N(int64(lateness))))
		}
		slices.SortStableFunc(all, func(a, b written) int { return a.at.Compare(b.at) })
		for i := range all {
			shuffled = append(shuffled, all[i].line)
			if random.IntN(20) == 0 {
				shuffled = append(shuffled, "")
			}
		}
		want := findings(t, strings.Join(inOrder, "\n"), "-config", thresholds, "-lateness", "0")
		file := findings(t, strings.Join(shuffled, "\n"), "-config", thresholds, "-lateness", lateness.String())
		byTime := findings(t, strings.Join(shuffled, "\n"), "-config", thresholds, "-order", "time")

		rules, completed := map[string]bool{}, 0
		for _, f := range want {
			rules[f.Rule] = true
		}
		for _, f := range file {
			if f.CompletedBy != 0 {
				completed++
			}
			assert.Contains(t, shuffled[f.Line-1], `"timestamp":"`+f.Timestamp+`"`, "seed %d", seed)
		}
		assert.Len(t, rules, 5, "seed %d", seed)
		assert.GreaterOrEqual(t, completed, 30, "seed %d: findings that were completed late", seed)
		assert.Equal(t, sortedFindings(want), sortedFindings(file), "seed %d", seed)
		assert.Equal(t, sortedFindings(want), sortedFindings(byTime), "seed %d", seed)
		assert.True(t, slices.IsSortedFunc(byTime, func(a, b finding) int { return cmp.Compare(instant(t, a), instant(t, b)) }), "seed %d", seed)
	}
}

// TestOrderOfEquals has many events with the same time: they stay in the order
// of the file.
func TestOrderOfEquals(t *testing.T) {
	t.Parallel()
	var seconds []int
	var want []uint64
	for i := range 200 {
		seconds = append(seconds, 5-5*(i%2))
	}
	for line := uint64(6); line <= 200; line += 2 { // the first two are below the threshold
		want = append(want, line)
	}
	for line := uint64(1); line <= 199; line += 2 {
		want = append(want, line)
	}
	var got []uint64
	for _, f := range findings(t, logins(seconds...), "-config", thresholds, "-order", "time") {
		got = append(got, f.Line)
	}
	assert.Equal(t, want, got)
}

func instant(t *testing.T, f finding) int64 {
	t.Helper()
	var e monitor.Event
	require.NoError(t, e.SetTimestampText(f.Timestamp))
	return e.Timestamp.UnixNano()
}

// sortedFindings returns what must not depend on the order of arrival.
func sortedFindings(found []finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, strings.Join([]string{f.Rule, f.Severity.String(), f.OrganizationID, f.Key, f.Timestamp}, " "))
	}
	slices.Sort(all)
	return all
}
