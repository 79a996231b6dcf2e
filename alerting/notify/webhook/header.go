package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/auditwarden/auditwarden/alerting/notify"
)

// headerName is a token (RFC 9110, 5.6.2).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// reserved are headers that a request has by itself, and those of the connection.
var reserved = []string{
	headerID, headerTimestamp, headerSignature, "User-Agent",
	"Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// allHeaders returns the headers of every request by their canonical names, with that of
// basic authentication if there is a user.
func allHeaders(further map[string]notify.Secret, username string, password notify.Secret) (map[string]notify.Secret, error) {
	headers := map[string]notify.Secret{}
	for name, value := range further {
		canonical := http.CanonicalHeaderKey(name)
		_, twice := headers[canonical]
		switch {
		case !headerName.MatchString(name):
			return nil, fmt.Errorf("option Headers: %q is not the name of a header", name)
		case slices.Contains(reserved, canonical):
			return nil, fmt.Errorf("option Headers: %q cannot be set", name)
		case twice:
			return nil, fmt.Errorf("option Headers: %q is there twice", name)
		case strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }):
			return nil, fmt.Errorf("option Headers: the value of %q has a character that is not printable ASCII", name)
		}
		headers[canonical] = value
	}
	if username == "" && password.IsZero() {
		return headers, nil
	}
	_, twice := headers["Authorization"]
	switch {
	case username == "", password.IsZero():
		return nil, errors.New("options Username and Password: one is missing")
	case twice:
		return nil, errors.New("option Username: the option Headers has Authorization, too")
	case strings.Contains(username, ":"), strings.ContainsFunc(username, unicode.IsControl):
		return nil, errors.New("option Username: has a colon or a control character")
	case strings.ContainsFunc(password.Reveal(), unicode.IsControl):
		return nil, errors.New("option Password: has a control character")
	}
	credentials := base64.StdEncoding.EncodeToString([]byte(username + ":" + password.Reveal()))
	headers["Authorization"] = notify.NewSecret("Basic " + credentials)
	return headers, nil
}
