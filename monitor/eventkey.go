package monitor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// An EventKey identifies one event wherever events are counted, so that a retry
// or a second delivery counts once. It is derived from the organization and the
// event's ID, else from the ID of its delivery, else unique to the call; it never
// depends on the event's content.
type EventKey [16]byte

// String returns the key in hex.
func (k EventKey) String() string { return hex.EncodeToString(k[:]) }

// EventKeyOf returns the key of the event with that ID in that organization:
// the first 16 bytes of SHA-256 over the two, each preceded by its length.
func EventKeyOf(organization, id string) EventKey {
	digest := digestStrings("event", organization, id)
	return EventKey(digest[:16])
}

// DeliveryKeyOf returns the key of the event without an ID that came in that
// delivery, see [Delivery.ID], to monitors with that [Config.Source].
func DeliveryKeyOf(source, organization, delivery string) EventKey {
	digest := digestStrings("delivery", source, organization, delivery)
	return EventKey(digest[:16])
}

// keyspace makes the keys of events that nothing else identifies.
type keyspace struct{ nonce [8]byte }

func newKeyspace() keyspace {
	var k keyspace
	rand.Read(k.nonce[:]) // never fails
	return k
}

// of returns the key of the event with that number at this monitor.
func (k *keyspace) of(sequence uint64) (key EventKey) {
	copy(key[:8], k.nonce[:])
	binary.BigEndian.PutUint64(key[8:], sequence)
	return key
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
