package monitor

import (
	"maps"
	"slices"
	"time"
)

// AlertType is the kind of thing that an alert is about.
type AlertType string

// The types of an alert.
const (
	AlertSecurity    AlertType = "SECURITY"
	AlertCompliance  AlertType = "COMPLIANCE"
	AlertPerformance AlertType = "PERFORMANCE"
	AlertSystem      AlertType = "SYSTEM"
	AlertMetrics     AlertType = "METRICS"
	AlertDelivery    AlertType = "DELIVERY"
	AlertCustom      AlertType = "CUSTOM"
)

// AlertStatus is where an alert is in its lifecycle.
type AlertStatus string

// The statuses of an alert. An alert is open while it is active or
// acknowledged.
const (
	AlertActive       AlertStatus = "active"
	AlertAcknowledged AlertStatus = "acknowledged"
	AlertResolved     AlertStatus = "resolved"
	AlertDismissed    AlertStatus = "dismissed"
)

// Open reports whether further occurrences join an alert with this status.
func (s AlertStatus) Open() bool { return s == AlertActive || s == AlertAcknowledged }

// An Alert is something that somebody should look at: what a store keeps of the
// occurrences of one fingerprint, with the finding that opened it and its
// lifecycle.
type Alert struct {
	ID             string      `json:"id"`
	Fingerprint    Fingerprint `json:"fingerprint,omitzero"`
	OrganizationID string      `json:"organizationId"`
	Severity       Severity    `json:"severity"`
	Type           AlertType   `json:"type"`
	Title          string      `json:"title"`
	Description    string      `json:"description"`
	// Source names the part of the application that the alert comes from,
	// [Config.Source].
	Source string      `json:"source"`
	Status AlertStatus `json:"status"`
	// CorrelationID, TraceID and SpanID are those of the occurrence that opened
	// the alert.
	CorrelationID string         `json:"correlationId,omitempty"`
	TraceID       TraceID        `json:"traceId,omitzero"`
	SpanID        SpanID         `json:"spanId,omitzero"`
	Tags          []string       `json:"tags,omitempty"`
	Metadata      map[string]any `json:"metadata,omitempty"`

	// Finding is that of the occurrence that opened the alert.
	Finding Finding `json:"finding"`
	// Occurrences is the number of qualifying events.
	Occurrences int64 `json:"occurrences"`
	// FirstSeen and LastSeen are the earliest and latest timestamps of the
	// qualifying events.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	LastSeen  time.Time `json:"lastSeen,omitzero"`

	// CreatedAt and UpdatedAt are the store's time.
	CreatedAt      time.Time `json:"createdAt,omitzero"`
	UpdatedAt      time.Time `json:"updatedAt,omitzero"`
	AcknowledgedAt time.Time `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy string    `json:"acknowledgedBy,omitempty"`
	// ResolvedAt, ResolvedBy and ResolutionNotes are set by resolving and by
	// dismissing.
	ResolvedAt      time.Time `json:"resolvedAt,omitzero"`
	ResolvedBy      string    `json:"resolvedBy,omitempty"`
	ResolutionNotes string    `json:"resolutionNotes,omitempty"`
	// Version grows whenever the status or the severity changes, not with
	// further occurrences.
	Version int64 `json:"version"`
}

// Ref returns the alert's address in a store.
func (a *Alert) Ref() AlertRef { return AlertRef{Organization: a.OrganizationID, ID: a.ID} }

// An AlertRef is the address of an alert. An empty organization is an error
// wherever one is used.
type AlertRef struct {
	Organization string
	ID           string
	// Version, if not 0, is the [Alert.Version] that a change of status was
	// decided on: if the alert has another one by now, the change is an
	// [ErrConflict]. Reading ignores it.
	Version int64
}

// Clone returns a copy of the alert that shares no slice or map with it, except
// for maps and slices inside the values of Metadata.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Finding.References = slices.Clone(a.Finding.References)
	c.Tags = slices.Clone(a.Tags)
	c.Metadata = maps.Clone(a.Metadata)
	return &c
}
