package monitor

// A Disposition reports how the store handled one occurrence.
type Disposition struct {
	// AlertID is the ID of the alert that the occurrence belongs to. It may be empty
	// for an occurrence that the store has buffered and not yet written.
	AlertID string
	// Stored says whether the occurrence opened the alert or was added to it.
	Stored StoreResult
	// Notify says whether the occurrence causes a notification.
	Notify NotifyDecision
}

// StoreResult says how an occurrence was stored.
type StoreResult uint8

const (
	// StoredNothing means that there is no store, that the finding raises no alert, or
	// that it was not stored yet.
	StoredNothing StoreResult = iota
	// StoredNew means that the occurrence opened an alert.
	StoredNew
	// StoredRepeat means that the occurrence was added to an open alert.
	StoredRepeat
	// StoredBefore means that the alert had already counted this event.
	StoredBefore
	// StoreRefused means that the occurrence can never be stored, and that the monitor
	// has given it up. The [Result] has the error.
	StoreRefused
)

var storeResultNames = [...]string{"nothing", "new", "repeat", "before", "refused"}

// String returns the value in snake case.
func (s StoreResult) String() string { return name(storeResultNames[:], s) }

// NotifyDecision says whether an occurrence causes a notification.
type NotifyDecision uint8

const (
	// NotifyNone means that there is no notification, usually because the cooldown of
	// the alert has not passed.
	NotifyNone NotifyDecision = iota
	// NotifyDue means a notification: the alert is new or its cooldown has passed.
	NotifyDue
	// NotifySuppressed means that a suppression window holds back a notification.
	NotifySuppressed
)

var notifyNames = [...]string{"none", "due", "suppressed"}

// String returns the value in lower case.
func (n NotifyDecision) String() string { return name(notifyNames[:], n) }
