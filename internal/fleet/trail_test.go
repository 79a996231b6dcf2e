package fleet_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// secret is that of the emitters.
const secret = "the emitters' secret, 32 bytes at least"

// waveGap is the time between the waves of an attack: longer than a cooldown and
// the longest window.
const waveGap = 20 * time.Minute

// A trail is the audit trail of several organizations under attack: incidents of
// all five patterns, in waves of less than 4 minutes, and what is none.
type trail struct {
	seed     uint64
	random   *rand.Rand
	signer   *crypto.Signer
	waves    [][]*monitor.Event
	findings []finding
}

// A finding is a qualifying event.
type finding struct {
	fingerprint monitor.Fingerprint
	name        string // of the incident
	wave        int
	at          time.Time
}

// newTrail makes a trail, the same for the same arguments.
func newTrail(t *testing.T, seed uint64, organizations, waves int) *trail {
	t.Helper()
	key, err := newKey(secret)
	require.NoError(t, err)
	signer, err := crypto.NewSigner(key)
	require.NoError(t, err)
	tr := &trail{seed: seed, random: rand.New(rand.NewPCG(seed, 0)), signer: signer}
	for wave := range waves {
		var es []*monitor.Event
		for n := range organizations {
			es = append(es, tr.attack(t, n, wave)...)
		}
		tr.waves = append(tr.waves, es)
	}
	tr.judge(t)
	return tr
}

// start is when an organization's first wave begins. Every other organization is
// attacked at night.
func start(organization int) time.Time {
	return time.Date(2026, 3, 2, 12+11*(organization%2), 0, 0, 0, time.UTC)
}

// attack returns the events of an organization in a wave.
func (tr *trail) attack(t *testing.T, organization, wave int) (es []*monitor.Event) {
	t.Helper()
	begin := start(organization).Add(time.Duration(wave) * waveGap)
	add := func(n int, within time.Duration, e monitor.Event) {
		for range n {
			e.ID = fmt.Sprintf("event-%d-%d", wave, len(es))
			e.OrganizationID = fmt.Sprintf("organization-%d", organization)
			// Few enough moments that many events share theirs.
			at := begin.Add(time.Duration(tr.random.Int64N(int64(within/time.Second))) * time.Second)
			require.NoError(t, e.SetTimestampText(at.In(tr.zone()).Format(time.RFC3339Nano)))
			signed := e
			require.NoError(t, tr.signer.Sign(t.Context(), &signed))
			es = append(es, &signed)
		}
	}
	const all = 4 * time.Minute
	login := monitor.Event{Action: "auth.login.failure", Status: monitor.StatusFailure}
	login.PrincipalID = "ann"
	add(4, all, login) // below the threshold
	login.PrincipalID = "mallory"
	add(12+wave, all, login)
	login.PrincipalID, login.Session.IPAddress = "", "203.0.113.7"
	add(9, all, login)
	add(5, all, monitor.Event{Action: "record.open", Status: monitor.StatusFailure, PrincipalID: "eve", OutcomeDescription: "Access denied"})
	add(70, time.Minute-time.Second, monitor.Event{Action: "fhir.patient.read", Status: monitor.StatusSuccess, PrincipalID: "trudy", TargetResourceType: "Patient"})
	add(110, all, monitor.Event{Action: "report.print", Status: monitor.StatusSuccess, PrincipalID: "oscar", RecordCount: 500})
	add(3, all, monitor.Event{Action: "data.read", Status: monitor.StatusSuccess, PrincipalID: "ben"})
	add(40, all, monitor.Event{Action: "menu.open", Status: monitor.StatusSuccess, PrincipalID: "carl"})
	return es
}

// zone returns how an emitter may write its times.
func (tr *trail) zone() *time.Location {
	return time.FixedZone("", 3600*tr.random.IntN(3))
}

// judge finds out what qualifies: one engine is given all events in order.
func (tr *trail) judge(t *testing.T) {
	t.Helper()
	all := slices.SortedFunc(slices.Values(slices.Concat(tr.waves...)), func(a, b *monitor.Event) int {
		return cmp.Or(cmp.Compare(a.OrganizationID, b.OrganizationID), a.Timestamp.Compare(b.Timestamp))
	})
	checker, err := newChecker(secret)
	require.NoError(t, err)
	report, err := detect.Backtest(context.Background(), &detect.BacktestOptions{Verifier: checker, Lateness: lateness}, slices.Values(all))
	require.NoError(t, err)
	require.Empty(t, report.Refused)
	require.Zero(t, report.TooLate)
	rules := map[string]bool{}
	for _, f := range report.Findings {
		rules[f.Rule] = true
		var organization int
		_, err := fmt.Sscanf(f.OrganizationID, "organization-%d", &organization)
		require.NoError(t, err)
		tr.findings = append(tr.findings, finding{
			fingerprint: monitor.FingerprintOf(f.Rule, f.OrganizationID, f.Key),
			name:        fmt.Sprintf("%s of %s in %s", f.Rule, f.Key, f.OrganizationID),
			wave:        int(f.Event.Timestamp.Sub(start(organization)) / waveGap),
			at:          f.Event.Timestamp.UTC(),
		})
	}
	require.Len(t, rules, 5, "the patterns of the attack")
}

// batches returns the events of a wave in some order, in about 40 batches, with
// every twice-th of them twice; 0 is none.
func (tr *trail) batches(t *testing.T, wave, twice int) (batches [][]delivery) {
	t.Helper()
	var all []delivery
	for i, e := range tr.waves[wave] {
		line, err := e.AppendJSON(nil)
		require.NoError(t, err)
		d := delivery{e.OrganizationID + "/" + e.ID, line}
		all = append(all, d)
		if twice > 0 && i%twice == 0 {
			all = append(all, d)
		}
	}
	tr.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return slices.Collect(slices.Chunk(all, len(all)/40))
}
