package memalerts

import (
	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// The bytes that things take without their texts. A test compares them with the heap.
const (
	organizationSize = 2 << 10
	alertSize        = 3 << 10
	referenceSize    = 80
	stepSize         = 8
	guidanceSize     = 192
	textSize         = 16
	changeSize       = 160
	notificationSize = 768
)

// sizeOfAlert returns the bytes that an alert takes when it is opened.
func sizeOfAlert(a *monitor.Alert) int64 {
	f := &a.Finding
	size := alertSize + len(a.Title) + len(a.Description) + len(a.Source) + len(a.CorrelationID) +
		len(f.Rule) + len(f.OrganizationID) + len(f.Key) + len(f.KeyField) + len(f.Technique) + len(f.Detail) +
		len(f.Event.ID) + len(f.CompletedBy.ID) + stepSize*len(f.Steps) + sizeOfGuidance(f.Guidance)
	for i := range f.References {
		size += referenceSize + len(f.References[i].ID)
	}
	return int64(size)
}

func sizeOfGuidance(g *monitor.Guidance) int {
	if g == nil {
		return 0
	}
	size := guidanceSize + len(g.Title) + len(g.Description) + len(g.NextSteps) + len(g.Runbook) + len(g.Author)
	for _, list := range [...][]string{g.References, g.Tags, g.Counts} {
		for _, text := range list {
			size += textSize + len(text)
		}
	}
	return size
}

// sizeOfChange returns the bytes that a change of status takes.
func sizeOfChange(c *alerting.Change) int64 { return int64(changeSize + len(c.By) + len(c.Note)) }

func sizeOfHistory(history []alerting.Change) (size int64) {
	for i := range history {
		size += sizeOfChange(&history[i])
	}
	return size
}

// sizeOfNotification returns the bytes that a notification takes on one route.
func sizeOfNotification(n *alerting.Notification) int64 {
	return int64(notificationSize + len(n.Key) + len(n.Failure))
}
