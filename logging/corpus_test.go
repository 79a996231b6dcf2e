package logging_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

// corpus returns the lines of a file in testdata.
func corpus(tb testing.TB, name string) []string {
	tb.Helper()
	var lines []string
	unmask := strings.NewReplacer("⏎", "\n", "␍", "\r", "{{}}", "")
	for line := range strings.Lines(string(check.Must(os.ReadFile("testdata/" + name))(tb))) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, unmask.Replace(line))
		}
	}
	return lines
}

var (
	marked = regexp.MustCompile(`(?s)⟦(.*?)⟧`)
	words  = regexp.MustCompile(`[\pL\pN]+`)
)

// A marking is a line of the corpus of secrets.
type marking struct {
	line    string
	secrets []string
	rest    []string // the words that are no secrets
}

func markings(tb testing.TB) []marking {
	tb.Helper()
	var all []marking
	for _, line := range corpus(tb, "secrets.txt") {
		m := marking{line: strings.NewReplacer("⟦", "", "⟧", "").Replace(line)}
		for _, match := range marked.FindAllStringSubmatch(line, -1) {
			m.secrets = append(m.secrets, match[1])
		}
		m.rest = words.FindAllString(marked.ReplaceAllString(line, " "), -1)
		all = append(all, m)
	}
	return all
}

// shown returns the words of the secret that a text shows.
func (m *marking) shown(text string) []string {
	inText := make(map[string]bool)
	for _, word := range words.FindAllString(text, -1) {
		inText[word] = true
	}
	for _, word := range m.rest {
		delete(inText, word)
	}
	var shown []string
	for _, secret := range m.secrets {
		for _, word := range words.FindAllString(secret, -1) {
			if inText[word] {
				shown = append(shown, word)
			}
		}
	}
	return shown
}

// kept returns how many of the words that are no secrets a text still has.
func (m *marking) kept(text string) int {
	counts := make(map[string]int)
	for _, word := range words.FindAllString(text, -1) {
		counts[word]++
	}
	kept := 0
	for _, word := range m.rest {
		if counts[word] > 0 {
			counts[word]--
			kept++
		}
	}
	return kept
}

// TestCorpus redacts lines as programs log them. Recall is the share of the lines
// with a secret that show nothing of it; precision is the share of the lines
// without one among those that are left alone and those that are not.
func TestCorpus(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	hidden, kept, rest := 0, 0, 0
	secrets := markings(t)
	for _, m := range secrets {
		got := r.String(m.line)
		if shown := m.shown(got); shown != nil {
			t.Errorf("%q of the secret is in\n%s", shown, got)
		} else {
			hidden++
		}
		k := m.kept(got)
		kept, rest = kept+k, rest+len(m.rest)
		if 3*k < 2*len(m.rest) {
			t.Errorf("of the words that are no secrets %d of %d are left:\n%s\n%s", k, len(m.rest), m.line, got)
		}
		if again := r.String(got); again != got {
			t.Errorf("redacting again gives\n%s\n%s", again, got)
		}
	}
	alarms := 0
	harmless := corpus(t, "harmless.txt")
	for _, line := range harmless {
		if got := r.String(line); got != line {
			alarms++
			t.Errorf("there is no secret in\n%s\n%s", line, got)
		}
	}
	recall := float64(hidden) / float64(len(secrets))
	precision := float64(hidden) / float64(hidden+alarms)
	t.Logf("recall %.1f %% of %d secrets, precision %.1f %% with %d harmless lines, %.1f %% of the words around secrets are left",
		100*recall, len(secrets), 100*precision, len(harmless), 100*float64(kept)/float64(rest))
	if len(secrets) < 150 || len(harmless) < 150 || recall < 1 || precision < 1 || float64(kept) < 0.97*float64(rest) {
		t.Error("this is below what is required")
	}
}
