package monitor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// An EventKey identifies an event for detectors and stores, so that a retry or a
// second delivery is not counted again. It is derived from the organization and
// the ID of the event. For an event without an ID it is derived from
// [Config.Source] and [Delivery.ID]; if there is no delivery ID either, it is
// unique. It never depends on the other content of the event.
type EventKey [16]byte

// String returns the key in hex.
func (k EventKey) String() string { return hex.EncodeToString(k[:]) }

// EventKeyOf returns the key of the event with that ID in that organization. It is
// the first 16 bytes of the SHA-256 of "event", organization and id, each preceded
// by its length as a varint.
func EventKeyOf(organization, id string) EventKey {
	digest := digestStrings("event", organization, id)
	return EventKey(digest[:16])
}

// deliveryKeyOf returns the key of an event by the ID of its delivery
// ([Delivery.ID]) and the source of the monitor ([Config.Source]).
func deliveryKeyOf(source, delivery string) EventKey {
	digest := digestStrings("delivery", source, delivery)
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

// A Fingerprint identifies what an alert is about. Occurrences with the same rule,
// organization and key have the same fingerprint, whatever their texts are.
type Fingerprint [32]byte

// FingerprintOf returns the fingerprint of a rule's alerts for a [Finding.Key]. It
// is the SHA-256 of "alert", rule, organization and key, each preceded by its
// length as a varint.
func FingerprintOf(rule, organization, key string) Fingerprint {
	return digestStrings("alert", rule, organization, key)
}

// String returns the fingerprint in lower-case hex.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText returns the fingerprint in lower-case hex.
func (f Fingerprint) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, f[:]), nil }

// UnmarshalText decodes a fingerprint in hex.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	return decodeHex("fingerprint", f[:], text)
}

// A TraceID identifies a trace, as in W3C Trace Context. Zero means none.
type TraceID [16]byte

// String returns the ID in lower-case hex.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// MarshalText returns the ID in lower-case hex.
func (t TraceID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t[:]), nil }

// UnmarshalText decodes an ID in hex.
func (t *TraceID) UnmarshalText(text []byte) error { return decodeHex("trace ID", t[:], text) }

// A SpanID identifies a span of a trace, as in W3C Trace Context. Zero means none.
type SpanID [8]byte

// String returns the ID in lower-case hex.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// MarshalText returns the ID in lower-case hex.
func (s SpanID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText decodes an ID in hex.
func (s *SpanID) UnmarshalText(text []byte) error { return decodeHex("span ID", s[:], text) }

// decodeHex reads hex digits, as many as fill the bytes.
func decodeHex(what string, bytes, text []byte) error {
	if len(text) != 2*len(bytes) {
		return fmt.Errorf("monitor: decode %s: %d hex digits, want %d", what, len(text), 2*len(bytes))
	}
	if _, err := hex.Decode(bytes, text); err != nil {
		return fmt.Errorf("monitor: decode %s: %w", what, err)
	}
	return nil
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

// newID returns a UUID of version 7 (RFC 9562): it sorts by time, and 74 of its
// bits are random.
func newID(now time.Time) string {
	var u [16]byte
	rand.Read(u[:]) // never fails
	ms := now.UnixMilli()
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:], u[:4])
	text[8] = '-'
	hex.Encode(text[9:], u[4:6])
	text[13] = '-'
	hex.Encode(text[14:], u[6:8])
	text[18] = '-'
	hex.Encode(text[19:], u[8:10])
	text[23] = '-'
	hex.Encode(text[24:], u[10:])
	return string(text[:])
}
