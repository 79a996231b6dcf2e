package monitor

import (
	"fmt"
	"net/url"
)

// maxGuidance is the size of all texts of a guidance, in bytes.
const maxGuidance = 16 << 10

// Validate returns an error that names the first field that is wrong: a placeholder
// that does not exist, a URL that is none of http or https, or an [ErrTooLarge] for
// texts of more than 16 KiB together.
func (g *Guidance) Validate() (err error) {
	for _, text := range [...]struct{ field, text string }{
		{"Title", g.Title}, {"Description", g.Description}, {"NextSteps", g.NextSteps},
	} {
		expand(text.text, func(name string) (string, bool) {
			_, ok := (&Finding{}).placeholder(name)
			if !ok && err == nil {
				err = fmt.Errorf("%s: there is no placeholder {%s}", text.field, name)
			}
			return "", ok
		})
	}
	if err != nil {
		return err
	}
	if g.Runbook != "" && !isURL(g.Runbook) {
		return fmt.Errorf("%s: %.200q is no URL such as \"https://example.com/\"", "Runbook", g.Runbook)
	}
	for _, text := range g.References {
		if !isURL(text) {
			return fmt.Errorf("References: %.200q is no URL such as \"https://example.com/\"", text)
		}
	}
	return g.checkSize()
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (g *Guidance) checkSize() error {
	if n := g.size(); n > maxGuidance {
		return fmt.Errorf("%d bytes are more than %d: %w", n, maxGuidance, ErrTooLarge)
	}
	return nil
}
