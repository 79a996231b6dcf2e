package ntfy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// longest is the length of the longest topic, in bytes.
const longest = 64

// reserved are the names that are no topics, since ntfy uses them otherwise
// (https://github.com/binwiederhier/ntfy/blob/main/server/config.go).
var reserved = []string{"docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1"}

// Topic returns the topic for the alerts of an organization: its name, if that is a
// topic and shorter than 64 bytes, and a hash of the name otherwise, which has 64. So
// no organization gets a path of ntfy that is no topic, and no two have the same
// topic.
func Topic(organization string) string {
	if legal(organization, longest-1) {
		return organization
	}
	hash := sha256.Sum256([]byte(organization))
	return hex.EncodeToString(hash[:])
}

// legal reports whether a name is a topic of up to so many bytes.
func legal(name string, longest int) bool {
	return name != "" && len(name) <= longest && !slices.Contains(reserved, name) &&
		!strings.ContainsFunc(name, func(r rune) bool {
			letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
			return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
		})
}
