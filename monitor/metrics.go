package monitor

// The metrics of the library: the name, unit and meaning of each, and the
// attribute that divides it. [Metric.Description] returns them.
var (
	EventsProcessed           = counter("events_processed", "{event}", "Events that were handled, also those that are duplicates or failed verification.")
	ProcessingLatency         = histogram("processing_latency", "s", "Time to process an event: the time of a call, divided by its events.")
	Errors                    = counter("errors", "{error}", "Events that were invalid, failed calls of detectors and of the store, and recovered panics.").by("kind", "invalid", "detector", "store", "panic")
	FieldsCleaned             = counter("fields_cleaned", "{field}", "Fields of events that were clipped on arrival, or in which what is not UTF-8 was replaced.").by("field", uncoverable()...)
	QueueDepth                = gauge("queue_depth", "{event}", "Submitted events that wait for a worker.")
	QuarantineDepth           = gauge("quarantine_depth", "{event}", "Quarantined events, which are tried again.")
	Verifications             = counter("verifications", "{verification}", "Events that a verifier looked at.").by("verdict", verdictNames[:]...)
	IntegrityViolations       = counter("integrity_violations", "{verification}", "Events that failed verification.").by("verdict", verdictNames[:]...)
	EventsUndecided           = counter("events_undecided", "{verification}", "Attempts to verify an event that ended without a decision.")
	SuspiciousPatterns        = counter("suspicious_patterns", "{finding}", "Findings, without those in shadow.").by("rule")
	ShadowFindings            = counter("shadow_findings", "{finding}", "Findings in shadow, which raise no alert.").by("rule")
	AlertsCreated             = counter("alerts_created", "{alert}", "Alerts that were opened.").by("rule")
	AlertsRepeated            = counter("alerts_repeated", "{occurrence}", "Occurrences that joined an open alert.").by("rule")
	OccurrencesRefused        = counter("occurrences_refused", "{occurrence}", "Occurrences that were given up because they can never be stored.").by("rule")
	AlertsSuppressed          = counter("alerts_suppressed", "{notification}", "Notifications held back by a suppression window.").by("rule")
	EventsDuplicate           = counter("events_duplicate", "{event}", "Events delivered again within the redelivery horizon.")
	EventsReplayed            = counter("events_replayed", "{event}", "Events delivered again after the redelivery horizon.")
	EventsConflicting         = counter("events_conflicting", "{event}", "Events that have the ID of an earlier event and other content.")
	EventsTooLate             = counter("events_too_late", "{event}", "Events older than the allowed lateness.")
	EventsFuture              = counter("events_future", "{event}", "Events ahead of the clock by more than the allowed skew.")
	EventsDropped             = counter("events_dropped", "{event}", "Accepted events that were dropped because the queue was full.").by("policy", "drop_oldest")
	EventsGivenUp             = counter("events_given_up", "{event}", "Submitted events that were reported as undecided because too many wait to be verified.")
	EventsRejected            = counter("events_rejected", "{event}", "Events that Submit refused because the queue was full.")
	Retries                   = counter("retries", "{attempt}", "Attempts after the first to handle a submitted event.")
	StateEvictions            = counter("state_evictions", "{group}", "Groups of a rule that were dropped while live because there were too many.").by("rule")
	StateTruncations          = counter("state_truncations", "{event}", "Events in a window that were dropped because their group had too many.").by("rule")
	DuplicatesForgotten       = counter("duplicates_forgotten", "{event}", "Event IDs that the dedup cache dropped because it was full.")
	IntegrityAlertsAggregated = counter("integrity_alerts_aggregated", "{occurrence}", "Occurrences of failed verification that were added to another by the rate limit.").by("verdict", verdictNames[:]...)
	NotificationsDelivered    = counter("notifications_delivered", "{notification}", "Notifications that were delivered.").by("route")
	NotificationsFailed       = counter("notifications_failed", "{attempt}", "Attempts to deliver a notification that failed.").by("route")
	NotificationsDead         = counter("notifications_dead", "{notification}", "Notifications that became dead letters.").by("route")
	NotificationsDropped      = counter("notifications_dropped", "{notification}", "Notifications that were dropped before any attempt to deliver them.").by("reason", "too_old", "no_such_route", "too_many")
	NotificationBacklog       = gauge("notification_backlog", "{notification}", "Notifications that wait to be delivered.").shared()
	DeliveryDuration          = histogram("delivery_duration", "s", "Time that an attempt to deliver a notification took.").by("route")
	AlertsEvicted             = counter("alerts_evicted", "{alert}", "Alerts that a store in memory gave up to keep a limit.").by("status", "open", "closed")
	AlertsEscalated           = counter("alerts_escalated", "{alert}", "Escalations of alerts that nobody acknowledged.")
	AlertsAutoResolved        = counter("alerts_auto_resolved", "{alert}", "Alerts that were resolved because they had been quiet for long enough.")
	EventsUnmatched           = counter("events_unmatched", "{event}", "Events that no rule is about. Stats tells their actions.")
)

func counter(name, unit, help string) Metric   { return define(MetricCounter, name, unit, help) }
func gauge(name, unit, help string) Metric     { return define(MetricGauge, name, unit, help) }
func histogram(name, unit, help string) Metric { return define(MetricHistogram, name, unit, help) }

func define(kind MetricKind, name, unit, help string) Metric {
	metricDescriptions = append(metricDescriptions, MetricDescription{Name: name, Kind: kind, Unit: unit, Help: help})
	return Metric(len(metricDescriptions) - 1)
}

// by divides a metric by an attribute. Without values its values are names from
// the configuration.
func (m Metric) by(attribute string, values ...string) Metric {
	metricDescriptions[m].Attribute, metricDescriptions[m].Values = attribute, values
	return m
}

// shared marks a gauge that instances must not add up.
func (m Metric) shared() Metric {
	metricDescriptions[m].Shared = true
	return m
}
