package monitor

import (
	"maps"
	"slices"
	"time"
)

// AlertType is the category of an alert.
type AlertType string

// The types of an alert. A [Monitor] only raises AlertSecurity alerts.
const (
	AlertSecurity    AlertType = "SECURITY"
	AlertCompliance  AlertType = "COMPLIANCE"
	AlertPerformance AlertType = "PERFORMANCE"
	AlertSystem      AlertType = "SYSTEM"
	AlertMetrics     AlertType = "METRICS"
	AlertDelivery    AlertType = "DELIVERY"
	AlertCustom      AlertType = "CUSTOM"
)

// AlertStatus is the state of an alert in its lifecycle.
type AlertStatus string

// The statuses of an alert. A new alert is active. An alert is open while it is
// active or acknowledged.
const (
	AlertActive       AlertStatus = "active"
	AlertAcknowledged AlertStatus = "acknowledged"
	AlertResolved     AlertStatus = "resolved"
	AlertDismissed    AlertStatus = "dismissed"
)

// Open reports whether further occurrences join an alert with this status.
func (s AlertStatus) Open() bool { return s == AlertActive || s == AlertAcknowledged }

// An Alert is something that a person should look at. A store keeps one open alert
// for all occurrences with the same organization and fingerprint.
type Alert struct {
	ID             string      `json:"id"`
	Fingerprint    Fingerprint `json:"fingerprint,omitzero"`
	OrganizationID string      `json:"organizationId"`
	Severity       Severity    `json:"severity"`
	Type           AlertType   `json:"type"`
	Title          string      `json:"title"`
	Description    string      `json:"description"`
	// Source is the [Config.Source] of the monitor that raised the alert.
	Source string      `json:"source"`
	Status AlertStatus `json:"status"`
	// CorrelationID, TraceID and SpanID are those of the occurrence that opened
	// the alert.
	CorrelationID string         `json:"correlationId,omitempty"`
	TraceID       TraceID        `json:"traceId,omitzero"`
	SpanID        SpanID         `json:"spanId,omitzero"`
	Tags          []string       `json:"tags,omitempty"`
	Metadata      map[string]any `json:"metadata,omitempty"`

	// Finding is the finding of the occurrence that opened the alert.
	Finding Finding `json:"finding"`
	// Occurrences is the number of qualifying events.
	Occurrences int64 `json:"occurrences"`
	// FirstSeen and LastSeen are the earliest and latest timestamps of the
	// qualifying events.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	LastSeen  time.Time `json:"lastSeen,omitzero"`

	// CreatedAt is when the store created the alert. UpdatedAt is when it last
	// changed the alert or added an occurrence.
	CreatedAt      time.Time `json:"createdAt,omitzero"`
	UpdatedAt      time.Time `json:"updatedAt,omitzero"`
	AcknowledgedAt time.Time `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy string    `json:"acknowledgedBy,omitempty"`
	// ResolvedAt, ResolvedBy and ResolutionNotes are also set for a dismissed alert.
	ResolvedAt      time.Time `json:"resolvedAt,omitzero"`
	ResolvedBy      string    `json:"resolvedBy,omitempty"`
	ResolutionNotes string    `json:"resolutionNotes,omitempty"`
	// Version increases whenever the status or the severity changes. Further
	// occurrences alone do not change it.
	Version int64 `json:"version"`
}

// Ref returns a reference to the alert, without a version.
func (a *Alert) Ref() AlertRef { return AlertRef{Organization: a.OrganizationID, ID: a.ID} }

// Guidance returns what the rule tells the person who looks at the alert. It is
// empty if the rule has no texts.
func (a *Alert) Guidance() Guidance {
	if a.Finding.Guidance == nil {
		return Guidance{}
	}
	return *a.Finding.Guidance
}

// An AlertRef identifies an alert in a store. Every operation that takes an
// AlertRef fails with [ErrNoOrganization] if the organization is empty.
type AlertRef struct {
	Organization string
	ID           string
	// Version makes a change of status conditional (optimistic locking). If it is not
	// 0 and the alert has a different [Alert.Version], the change fails with
	// [ErrConflict]. Reads ignore it.
	Version int64
}

// Clone returns a copy of the alert that shares no slice or map with it, except
// for maps and slices inside the values of Metadata.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Finding.Steps = slices.Clone(a.Finding.Steps)
	c.Finding.References = slices.Clone(a.Finding.References)
	c.Finding.Guidance = a.Finding.Guidance.clone()
	c.Tags = slices.Clone(a.Tags)
	c.Metadata = maps.Clone(a.Metadata)
	return &c
}
