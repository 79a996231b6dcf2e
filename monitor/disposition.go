package monitor

// A Disposition is what became of one occurrence.
type Disposition struct {
	// AlertID is the alert that the occurrence belongs to. It may be empty for
	// a repeat that is still on its way to the store.
	AlertID string
	// Stored says whether the occurrence opened the alert or joined it.
	Stored StoreResult
	// Notify says whether there is a notification.
	Notify NotifyDecision
}

// StoreResult says how an occurrence was stored.
type StoreResult uint8

const (
	// StoredNothing means that there is no store, or that the finding raises no
	// alert.
	StoredNothing StoreResult = iota
	// StoredNew means that the occurrence opened an alert.
	StoredNew
	// StoredRepeat means that the occurrence joined an open alert.
	StoredRepeat
	// StoredBefore means that the alert already has this occurrence.
	StoredBefore
)

var storedNames = [...]string{"not_stored", "created", "repeated", "counted"}

// String returns the value in snake case.
func (s StoreResult) String() string { return name(storedNames[:], s) }

// NotifyDecision says whether there is a notification of an occurrence.
type NotifyDecision uint8

const (
	// NotifyNone means that there is no notification, because the cooldown of the
	// alert has not passed.
	NotifyNone NotifyDecision = iota
	// NotifyDue means that there is one: the alert is new, or its cooldown has
	// passed.
	NotifyDue
	// NotifySuppressed means that there is one, which a suppression window holds
	// back.
	NotifySuppressed
)

var notifyNames = [...]string{"none", "due", "suppressed"}

// String returns the value in lower case.
func (n NotifyDecision) String() string { return name(notifyNames[:], n) }
