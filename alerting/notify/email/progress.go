package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
)

// prefix begins the text of an error.
const prefix = "email: send: "

// A progress says who of the recipients, by their index, does not have a mail. It is
// in the text of an attempt's error, which the store keeps as the failure of the
// notification, so that the next attempt, of whatever instance, goes on from there.
type progress struct {
	all     int
	list    string // a checksum of the recipients
	left    []int  // are to be tried
	refused []int  // for good
}

// progressText begins the cause of an error.
var progressText = regexp.MustCompile(`^(?:refused permanently: )?` + prefix +
	`left to\[([0-9,-]*)\], refused to\[([0-9,-]*)\] \(list ([0-9a-f]{8})\): `)

// resume returns the progress of the attempts before this one. If it is not known, or if
// the recipients are others than then, all are left. A notification that was redriven is
// for those who refused it, too.
func resume(n *alerting.Notification, to []*netmail.Address) *progress {
	p := &progress{all: len(to), list: checksum(to)}
	if parts := progressText.FindStringSubmatch(n.Failure); len(parts) == 4 && parts[3] == p.list {
		left, leftOK := parseIndexes(parts[1], len(to))
		refused, refusedOK := parseIndexes(parts[2], len(to))
		if leftOK && refusedOK {
			p.left, p.refused = left, refused
		}
	}
	if len(p.left)+len(p.refused) == 0 {
		for i := range to {
			p.left = append(p.left, i)
		}
	}
	if n.Attempts <= 1 {
		p.left, p.refused = slices.Concat(p.left, p.refused), nil
		slices.Sort(p.left)
	}
	return p
}

// delivered reports whether somebody has the mail.
func (p *progress) delivered() bool { return len(p.left)+len(p.refused) < p.all }

// String returns the progress as it is read again, or nothing if the next attempt is for
// all.
func (p *progress) String() string {
	if len(p.left) == p.all || len(p.refused) == p.all {
		return ""
	}
	return fmt.Sprintf("left to[%s], refused to[%s] (list %s): ", indexes(p.left), indexes(p.refused), p.list)
}

// checksum returns 8 hexadecimal digits that other recipients do not have.
func checksum(to []*netmail.Address) string {
	var list []byte
	for _, address := range to {
		list = strconv.AppendQuote(list, address.Address)
	}
	hash := sha256.Sum256(list)
	return hex.EncodeToString(hash[:4])
}

// indexes returns sorted indexes as text, such as 0,3-5.
func indexes(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end] == list[end-1]+1 {
			end++
		}
		part := strconv.Itoa(list[i])
		if end-i > 1 {
			part += "-" + strconv.Itoa(list[end-1])
		}
		parts = append(parts, part)
		i = end
	}
	return strings.Join(parts, ",")
}

// parseIndexes reads what indexes returns. All of them are below a limit.
func parseIndexes(text string, limit int) (list []int, ok bool) {
	if text == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		firstText, lastText, isRange := strings.Cut(part, "-")
		if !isRange {
			lastText = firstText
		}
		first, firstErr := strconv.Atoi(firstText)
		last, lastErr := strconv.Atoi(lastText)
		if firstErr != nil || lastErr != nil || first > last || last >= limit ||
			len(list) > 0 && first <= list[len(list)-1] {
			return nil, false
		}
		for i := first; i <= last; i++ {
			list = append(list, i)
		}
	}
	return list, true
}
