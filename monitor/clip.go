package monitor

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

const (
	replacement = "\uFFFD"
	ellipsis    = "…"
)

// clip returns a text as valid UTF-8 in that many bytes. What is not UTF-8 becomes
// U+FFFD, and a text that was too long ends in an ellipsis.
func clip(s string, limit int) string {
	long := len(s) > limit
	if long {
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, replacement)
	if !long && len(s) <= limit {
		return s
	}
	end := min(len(s), limit-len(ellipsis))
	for end > 0 && end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// clipID is [clip] for what tells events apart: the result ends in a digest of the ID as
// it was received.
func clipID(id, received string) string {
	digest := sha256.Sum256([]byte(received))
	suffix := "#" + hex.EncodeToString(digest[:16])
	return clip(id, MaxFieldSize-len(suffix)) + suffix
}
