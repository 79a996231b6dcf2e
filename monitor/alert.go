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
	ID             string
	Fingerprint    Fingerprint
	OrganizationID string
	Severity       Severity
	Type           AlertType
	Title          string
	Description    string
	// Source names the part of the application that the alert comes from,
	// [Config.Source].
	Source string
	Status AlertStatus
	// CorrelationID, TraceID and SpanID are those of the occurrence that opened
	// the alert.
	CorrelationID string
	TraceID       TraceID
	SpanID        SpanID
	Tags          []string
	Metadata      map[string]any

	// Finding is that of the occurrence that opened the alert.
	Finding Finding
	// Occurrences is the number of qualifying events.
	Occurrences int64
	// FirstSeen and LastSeen are the earliest and latest timestamps of the
	// qualifying events.
	FirstSeen, LastSeen time.Time

	// CreatedAt and UpdatedAt are the store's time.
	CreatedAt, UpdatedAt time.Time
	AcknowledgedAt       time.Time
	AcknowledgedBy       string
	// ResolvedAt, ResolvedBy and ResolutionNotes are set by resolving and by
	// dismissing.
	ResolvedAt      time.Time
	ResolvedBy      string
	ResolutionNotes string
	// Version grows whenever the status or the severity changes, not with
	// further occurrences.
	Version int64
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
