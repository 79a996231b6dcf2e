package monitor

import "context"

// An AlertStorer stores occurrences as alerts and tells what became of each. It
// must be safe for concurrent use. alerting.Manager is one, and so is every
// [AlertHandlerFunc].
//
//   - The occurrences are valid during the call only; [Occurrence.Alert] makes an
//     alert to keep.
//   - The dispositions are in the order of the occurrences. With an error none of
//     the occurrences may be taken as stored, and [Monitor.Process] returns an
//     error so that the event is tried again. The call may be repeated: an
//     occurrence whose [EventKey] the alert already has is not counted again.
type AlertStorer interface {
	StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error)
}

// An AlertHandlerFunc is the simplest [AlertStorer]: a function that is handed
// every occurrence as a new alert of its own, which it may keep. An error means
// that the alert was not taken.
type AlertHandlerFunc func(ctx context.Context, a *Alert) error

// StoreOccurrences calls f with the alert of each occurrence, in their order, and
// stops at the first error.
func (f AlertHandlerFunc) StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error) {
	dispositions := make([]Disposition, len(os))
	for i, o := range os {
		a := o.Alert()
		if err := f(ctx, a); err != nil {
			return nil, err
		}
		dispositions[i] = Disposition{AlertID: a.ID, Stored: StoredNew, Notify: NotifyDue}
	}
	return dispositions, nil
}

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
