package monitor

// A Disposition is what became of one occurrence.
type Disposition struct {
	// AlertID is the alert that the occurrence belongs to. It may be empty for
	// a repeat that is still on its way to the store.
	AlertID string
	// Stored says whether the occurrence opened the alert or joined it.
	Stored StoreResult
	// Notify says whether somebody is to be told.
	Notify NotifyDecision
}

// StoreResult says how an occurrence was stored.
type StoreResult uint8

const (
	// StoredNothing: there is no store, or the finding raises no alert.
	StoredNothing StoreResult = iota
	// StoredNew: the occurrence opened an alert.
	StoredNew
	// StoredRepeat: the occurrence joined an open alert.
	StoredRepeat
	// StoredBefore: the alert has this occurrence already.
	StoredBefore
)

var storedNames = [...]string{"not_stored", "created", "repeated", "counted"}

// String returns the value in snake case.
func (s StoreResult) String() string { return name(storedNames[:], s) }

// NotifyDecision says whether an occurrence is to be notified.
type NotifyDecision uint8

const (
	// NotifyNone: nobody is to be told, as the alert's cooldown has not passed.
	NotifyNone NotifyDecision = iota
	// NotifyDue: a new alert, or the cooldown has passed.
	NotifyDue
	// NotifySuppressed: due, and held back by a suppression window.
	NotifySuppressed
)

var notifyNames = [...]string{"none", "due", "suppressed"}

// String returns the value in lower case.
func (n NotifyDecision) String() string { return name(notifyNames[:], n) }
