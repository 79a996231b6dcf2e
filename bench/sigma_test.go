package bench_test

import (
	"testing"
	"time"

	"github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
	"github.com/bradleyjkemp/sigma-go/evaluator/aggregators"

	"github.com/auditwarden/auditwarden/bench/benchtest"
)

// The timeframe belongs into the rule, but v0.6.6 cannot read it there. It is
// the aggregator's.
const sigmaRule = `
title: Failed logins
logsource:
  product: audit
detection:
  failure:
    status: failure
    action|contains: auth.login.failure
  condition: failure | count() by principalId >= 5
`

// sigmaGo estimates the window from the counts of two fixed ones, by the wall
// clock.
func sigmaGo() benchtest.Contender {
	return benchtest.Contender{Name: "sigma-go", New: newSigma, WallClock: true}
}

type sigmaEngine struct {
	tb     testing.TB
	rule   *evaluator.RuleEvaluator
	events []map[string]string
	alerts int
}

func newSigma(tb testing.TB, users int) benchtest.Engine {
	tb.Helper()
	rule, err := sigma.ParseRule([]byte(sigmaRule))
	if err != nil {
		tb.Fatal(err)
	}
	options := append(aggregators.InMemory(benchtest.Window), evaluator.CaseSensitive)
	s := &sigmaEngine{tb: tb, rule: evaluator.ForRule(rule, options...)}
	for _, e := range benchtest.Events(users) {
		s.events = append(s.events, map[string]string{
			"action":         e.Action,
			"status":         string(e.Status),
			"principalId":    e.PrincipalID,
			"organizationId": e.OrganizationID,
			"ipAddress":      e.Session.IPAddress,
		})
	}
	return s
}

func (s *sigmaEngine) Login(user int, _ time.Time) {
	result, err := s.rule.Matches(s.tb.Context(), s.events[user])
	if err != nil {
		s.tb.Fatal(err)
	}
	if result.Match {
		s.alerts++
	}
}

func (s *sigmaEngine) Close() int { return s.alerts }
