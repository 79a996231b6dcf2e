package monitor

// The metrics of the library. [Metric.Description] returns these descriptions.
var (
	EventsProcessed = define(MetricDescription{
		Name: "events_processed", Unit: "{event}",
		Help: "Events handled to the end, including duplicates and failed ones.",
	})
	ProcessingLatency = define(MetricDescription{
		Name: "processing_latency", Kind: MetricHistogram, Unit: "s",
		Help: "Time that an event took.",
	})
	Errors = define(MetricDescription{
		Name: "errors", Unit: "{error}",
		Attribute: "kind", Values: []string{"invalid", "detector", "store", "panic"},
		Help: "Events that were invalid, and failures of detectors and of the store.",
	})
	QueueDepth = define(MetricDescription{
		Name: "queue_depth", Kind: MetricGauge, Unit: "{event}",
		Help: "Events submitted and not yet handled.",
	})
	QuarantineDepth = define(MetricDescription{
		Name: "quarantine_depth", Kind: MetricGauge, Unit: "{event}",
		Help: "Quarantined events, which wait to be tried again.",
	})
	Verifications = define(MetricDescription{
		Name: "verifications", Unit: "{verification}",
		Attribute: "verdict", Values: verdictNames[:],
		Help: "Verifications of events.",
	})
	IntegrityViolations = define(MetricDescription{
		Name: "integrity_violations", Unit: "{verification}",
		Attribute: "verdict", Values: verdictNames[:],
		Help: "Verifications that decided that an event fails.",
	})
	EventsUndecided = define(MetricDescription{
		Name: "events_undecided", Unit: "{verification}",
		Help: "Verifications that could not be decided yet.",
	})
	SuspiciousPatterns = define(MetricDescription{
		Name: "suspicious_patterns", Unit: "{finding}", Attribute: "rule",
		Help: "Findings that are not in shadow.",
	})
	ShadowFindings = define(MetricDescription{
		Name: "shadow_findings", Unit: "{finding}", Attribute: "rule",
		Help: "Findings in shadow, which raise no alert.",
	})
	AlertsCreated = define(MetricDescription{
		Name: "alerts_created", Unit: "{alert}", Attribute: "rule",
		Help: "Alerts that were opened.",
	})
	AlertsRepeated = define(MetricDescription{
		Name: "alerts_repeated", Unit: "{occurrence}", Attribute: "rule",
		Help: "Occurrences that joined an open alert.",
	})
	AlertsSuppressed = define(MetricDescription{
		Name: "alerts_suppressed", Unit: "{notification}", Attribute: "rule",
		Help: "Notifications held back by a suppression window.",
	})
	EventsDuplicate = define(MetricDescription{
		Name: "events_duplicate", Unit: "{event}",
		Help: "Events delivered again within the redelivery horizon.",
	})
	EventsReplayed = define(MetricDescription{
		Name: "events_replayed", Unit: "{event}",
		Help: "Events delivered again after the redelivery horizon.",
	})
	EventsConflicting = define(MetricDescription{
		Name: "events_conflicting", Unit: "{event}",
		Help: "Events with the ID of an earlier event and other content.",
	})
	EventsTooLate = define(MetricDescription{
		Name: "events_too_late", Unit: "{event}",
		Help: "Events older than the allowed lateness.",
	})
	EventsFuture = define(MetricDescription{
		Name: "events_future", Unit: "{event}",
		Help: "Events ahead of the clock by more than the allowed skew.",
	})
	EventsDropped = define(MetricDescription{
		Name: "events_dropped", Unit: "{event}",
		Attribute: "policy", Values: []string{"drop_oldest"},
		Help: "Accepted events that were dropped because the queue was full.",
	})
	EventsRejected = define(MetricDescription{
		Name: "events_rejected", Unit: "{event}",
		Help: "Events that Submit refused because the queue was full.",
	})
	Retries = define(MetricDescription{
		Name: "retries", Unit: "{attempt}",
		Help: "Attempts after the first to handle a submitted event.",
	})
	StateEvictions = define(MetricDescription{
		Name: "state_evictions", Unit: "{group}", Attribute: "rule",
		Help: "Groups of a rule that were dropped while live because there were too many.",
	})
	StateTruncations = define(MetricDescription{
		Name: "state_truncations", Unit: "{event}", Attribute: "rule",
		Help: "Events in a window that were dropped because their group had too many.",
	})
	DuplicatesForgotten = define(MetricDescription{
		Name: "duplicates_forgotten", Unit: "{event}",
		Help: "Event IDs that the dedup cache dropped because it was full.",
	})
	IntegrityAlertsAggregated = define(MetricDescription{
		Name: "integrity_alerts_aggregated", Unit: "{occurrence}",
		Attribute: "verdict", Values: verdictNames[:],
		Help: "Occurrences of failed verification that the rate limit counted into another.",
	})
	NotificationsDelivered = define(MetricDescription{
		Name: "notifications_delivered", Unit: "{notification}", Attribute: "route",
		Help: "Notifications that were delivered.",
	})
	NotificationsFailed = define(MetricDescription{
		Name: "notifications_failed", Unit: "{attempt}", Attribute: "route",
		Help: "Attempts to deliver a notification that failed.",
	})
	NotificationsDead = define(MetricDescription{
		Name: "notifications_dead", Unit: "{notification}", Attribute: "route",
		Help: "Notifications that became dead letters.",
	})
	NotificationsDropped = define(MetricDescription{
		Name: "notifications_dropped", Unit: "{notification}",
		Attribute: "reason", Values: []string{"too_old", "no_such_route", "too_many"},
		Help: "Notifications that were dropped before any attempt to deliver them.",
	})
	NotificationBacklog = define(MetricDescription{
		Name: "notification_backlog", Kind: MetricGauge, Unit: "{notification}", Shared: true,
		Help: "Notifications that wait to be delivered.",
	})
	DeliveryDuration = define(MetricDescription{
		Name: "delivery_duration", Kind: MetricHistogram, Unit: "s", Attribute: "route",
		Help: "Time that an attempt to deliver a notification took.",
	})
	AlertsEscalated = define(MetricDescription{
		Name: "alerts_escalated", Unit: "{alert}",
		Help: "Escalations of alerts that nobody acknowledged.",
	})
	AlertsAutoResolved = define(MetricDescription{
		Name: "alerts_auto_resolved", Unit: "{alert}",
		Help: "Alerts that were resolved because they had been quiet for long enough.",
	})
)
