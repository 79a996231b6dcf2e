package alerting

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/auditwarden/auditwarden/monitor"
)

// maxMatches is the largest length of a list of a silence.
const maxMatches = 20

// A Silence is a suppression of some alerts: of those that match all of its lists. An
// empty list matches every alert, and any other list those with one of its values. A
// silence without lists is invalid, so that a mistake does not suppress everything.
type Silence struct {
	// Suppression says when, why and for whom.
	Suppression
	// Rules are names of rules.
	Rules []string `json:"rules,omitempty"`
	// Keys are those of findings, such as a principal or an address, exactly as in the
	// alert.
	Keys []string `json:"keys,omitempty"`
	// Severities are those of the alert. An alert that becomes more severe may leave the
	// silence.
	Severities []monitor.Severity `json:"severities,omitempty"`
}

// check rejects an invalid silence. The errors name a field of the silence.
func (s *Silence) check() error {
	if len(s.Rules)+len(s.Keys)+len(s.Severities) == 0 {
		return invalid("Rules", "missing; a silence must have Rules, Keys or Severities")
	}
	for _, severity := range s.Severities {
		if severity > monitor.SeverityCritical {
			return invalid("Severities", "%d is not a severity", severity)
		}
	}
	return cmp.Or(
		s.Suppression.check(),
		checkMatches("Rules", s.Rules, monitor.MaxRuleSize),
		checkMatches("Keys", s.Keys, monitor.MaxFieldSize),
		checkNumber("Severities", len(s.Severities), maxMatches),
	)
}

func checkMatches(field string, values []string, limit int) error {
	err := checkNumber(field, len(values), maxMatches)
	for i, v := range values {
		if v == "" {
			err = cmp.Or(err, invalid(field, "number %d is empty", i))
		}
		err = cmp.Or(err, checkText(fmt.Sprintf("%s[%d]", field, i), v, limit))
	}
	return err
}

func (s *Silence) clone() Silence {
	c := *s
	c.Suppression = s.Suppression.clone()
	c.Rules, c.Keys, c.Severities = slices.Clone(s.Rules), slices.Clone(s.Keys), slices.Clone(s.Severities)
	return c
}
