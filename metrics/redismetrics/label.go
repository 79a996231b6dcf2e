package redismetrics

import (
	"strings"
)

// A Label tells a series from others of the same name: an endpoint, a status.
// Its value should be one of a known set, never an identifier or free text.
type Label struct {
	Name, Value string
}

// The text of labels is name=value&name=value, without = if the value is empty.
// What would be ambiguous is escaped as in a URL.
var (
	escape   = strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D")
	unescape = strings.NewReplacer("%25", "%", "%26", "&", "%3D", "=")
)

// appendLabels appends the text of labels to b.
func appendLabels(b []byte, labels []Label) []byte {
	for i, l := range labels {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, escape.Replace(l.Name)...)
		if l.Value != "" {
			b = append(b, '=')
			b = append(b, escape.Replace(l.Value)...)
		}
	}
	return b
}

// parseLabels is the inverse of appendLabels.
func parseLabels(text string) []Label {
	if text == "" {
		return nil
	}
	var labels []Label
	for label := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(label, "=")
		labels = append(labels, Label{unescape.Replace(name), unescape.Replace(value)})
	}
	return labels
}
