package monitor

import (
	"strconv"
	"strings"
)

// render replaces the placeholders.
func (g *Guidance) render(f *Finding) {
	for _, text := range []*string{&g.Title, &g.Description, &g.NextSteps} {
		*text = expand(*text, f.placeholder)
	}
}

// placeholder returns what stands for a placeholder, and whether there is one of that
// name.
func (f *Finding) placeholder(name string) (value string, ok bool) {
	switch name {
	case "summary":
		return f.Describe(), true
	case "counted":
		return f.counted(), true
	case "count":
		return f.count(), true
	case "threshold":
		return strconv.Itoa(f.Threshold), true
	case "window":
		return f.window(), true
	case "subject":
		return f.subject(), true
	case "key":
		return printable(f.Key), true
	case "organization":
		return printable(f.OrganizationID), true
	case "time":
		return f.time(), true
	case "rule":
		return printable(f.Rule), true
	case "severity":
		return f.Severity.String(), true
	case "technique":
		return printable(f.Technique), true
	case "detail":
		return printable(f.Detail), true
	}
	return "", false
}

// expand replaces the words in braces for which there is a value. It does not look at
// what it puts in.
func expand(text string, value func(name string) (string, bool)) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		if !found && b.Len() == 0 {
			return text
		}
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := 0
		for end < len(rest) && isLetter(rest[end]) {
			end++
		}
		if end > 0 && end < len(rest) && rest[end] == '}' {
			if v, ok := value(rest[:end]); ok {
				b.WriteString(v)
				text = rest[end+1:]
				continue
			}
		}
		b.WriteByte('{')
		text = rest
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
