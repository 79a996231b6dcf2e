package monitor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// A Finding is one qualifying event of one rule, and the reasons why it
// qualifies. A rule reports a finding for every event at or over its threshold,
// not only for the first.
type Finding struct {
	// Rule is the rule's stable name, such as "failed_auth".
	Rule     string
	Severity Severity
	// OrganizationID is the tenant. The monitor fills it in if it is empty.
	OrganizationID string
	// Key is the group that the event belongs to: a principal, an address, the
	// organization. It is the bare value.
	Key string
	// KeyField says what Key is, such as "principalId".
	KeyField string
	// Event is the qualifying event.
	Event EventRef
	// CompletedBy is the late event that made an earlier one qualify. It is the
	// zero EventRef when Event qualified on its own arrival.
	CompletedBy EventRef
	// Count is the number of matching events in the window that ends with
	// Event (of distinct values or of completed steps, for rules that count
	// those), Event included.
	Count int
	// AtLeast is set when a memory cap cut the window: Count is a lower bound.
	AtLeast   bool
	Threshold int
	// Window is the length of the window, 0 for rules that have none. The
	// window is (Event.Timestamp - Window, Event.Timestamp].
	Window time.Duration
	// References are events of the window, oldest first, the last one being
	// Event. They are capped: the newest are kept.
	References []EventRef
	// Uncovered are the fields that the rule looked at and that no signature
	// covers.
	Uncovered Fields
	// Technique is the MITRE ATT&CK technique, such as "T1110".
	Technique string
	// Shadow findings are counted and reported, and raise no alert.
	Shadow bool
	// Detail is a short text of the rule's own for the alert's description.
	Detail string
}

// WindowStart returns the exclusive start of the finding's window.
func (f *Finding) WindowStart() time.Time { return f.Event.Timestamp.Add(-f.Window) }

// An EventRef points to an event.
type EventRef struct {
	// ID is the event's ID, if it has one.
	ID string
	// Timestamp is the event's timestamp.
	Timestamp time.Time
	// Sequence is the event's place in the order of arrival at this monitor,
	// from 1. It is 0 when it is no longer known.
	Sequence uint64
}

// IsZero reports whether r points to nothing.
func (r EventRef) IsZero() bool { return r.ID == "" && r.Sequence == 0 && r.Timestamp.IsZero() }

// An EventKey identifies one event wherever events are counted, so that a retry
// or a second delivery counts once. It is derived from organization and ID when
// the event has an ID, and unique to the call otherwise; it never depends on
// the event's content.
type EventKey [16]byte

// String returns the key in hex.
func (k EventKey) String() string { return hex.EncodeToString(k[:]) }

// keyspace makes the event keys of one monitor.
type keyspace struct{ nonce [8]byte }

func newKeyspace() keyspace {
	var k keyspace
	rand.Read(k.nonce[:]) // never fails
	return k
}

// key returns the key of the event that ref points to.
func (k *keyspace) key(organization string, ref EventRef) EventKey {
	if ref.ID != "" {
		return EventKeyOf(organization, ref.ID)
	}
	var key EventKey
	copy(key[:8], k.nonce[:])
	binary.BigEndian.PutUint64(key[8:], ref.Sequence)
	return key
}

// EventKeyOf returns the key of the event with that ID in that organization:
// the first 16 bytes of SHA-256 over the two, each preceded by its length.
func EventKeyOf(organization, id string) EventKey {
	digest := digestStrings("event", organization, id)
	return EventKey(digest[:16])
}

// digestStrings hashes strings such that no two lists have the same input. It
// does not allocate for short strings.
func digestStrings(parts ...string) [sha256.Size]byte {
	var array [256]byte
	buf := array[:0]
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}
