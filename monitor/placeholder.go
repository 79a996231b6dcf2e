package monitor

import (
	"strconv"
	"strings"
)

// render replaces the placeholders.
func (g *Guidance) render(f *Finding) {
	values := f.placeholders()
	for _, text := range []*string{&g.Title, &g.Description, &g.NextSteps} {
		if strings.Contains(*text, "{") {
			*text = values.Replace(*text)
		}
	}
}

// placeholders returns a replacer of all placeholders. It does not look at what it
// puts in.
func (f *Finding) placeholders() *strings.Replacer {
	var pairs []string
	for i, value := range [...]string{
		f.Describe(), f.counted(), f.count(), strconv.Itoa(f.Threshold), f.window(), f.subject(), printable(f.Key),
		printable(f.OrganizationID), f.time(), printable(f.Rule), f.Severity.String(), printable(f.Technique), printable(f.Detail),
	} {
		pairs = append(pairs, "{"+placeholderNames[i]+"}", value)
	}
	return strings.NewReplacer(pairs...)
}
