package email

import (
	"errors"
	netmail "net/mail"
	"strings"

	"github.com/auditwarden/auditwarden/alerting/notify"
)

// parseAddress parses an address with or without a name. The error does not quote
// it.
func parseAddress(text string) (*netmail.Address, error) {
	address, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, errors.New("is not an address")
	}
	// The name was decoded. A reader must not decode it again.
	if address.Name != notify.Line(address.Name) || strings.Contains(address.Name, "=?") {
		return nil, errors.New("has a name with an encoded word or a control character")
	}
	if address.Address != notify.Line(address.Address) || strings.ContainsAny(address.Address, "<> ") {
		return nil, errors.New("is not an address that can be sent to")
	}
	return address, nil
}
