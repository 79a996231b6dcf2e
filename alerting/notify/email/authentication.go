package email

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/wneessen/go-mail/smtp"
)

// maxIterations limits how often a server can make SCRAM hash the password, which
// ends in no time limit. It takes a tenth of a second. Servers usually ask for 4,096
// (RFC 7677, 4).
const maxIterations = 100_000

var (
	errMechanism  = errors.New("the server offers no supported authentication method")
	errChallenge  = errors.New("the server does not follow the authentication method")
	errIterations = errors.New("the server asks for too many iterations of SCRAM")
)

// An authentication uses the best mechanism that the server offers.
type authentication struct {
	username, password, host string

	mechanism  smtp.Auth
	challenges int
}

// Start chooses the mechanism.
func (a *authentication) Start(server *smtp.ServerInfo) (string, []byte, error) {
	switch {
	case slices.Contains(server.Auth, "SCRAM-SHA-256"):
		a.mechanism = smtp.ScramSHA256Auth(a.username, a.password)
	case slices.Contains(server.Auth, "PLAIN"):
		a.mechanism = smtp.PlainAuth("", a.username, a.password, a.host, false)
	case slices.Contains(server.Auth, "LOGIN"):
		a.mechanism = smtp.LoginAuth(a.username, a.password, a.host, false)
	default:
		return "", nil, errMechanism
	}
	return a.mechanism.Start(server)
}

// Next answers a challenge.
func (a *authentication) Next(challenge []byte, more bool) ([]byte, error) {
	const most = 3 // in SCRAM: nothing, the salt and the iterations, the proof
	if a.challenges++; more && a.challenges > most {
		return nil, errChallenge
	}
	if bytes.HasPrefix(challenge, []byte("r=")) { // the first message of a server (RFC 5802, 7)
		for field := range bytes.SplitSeq(challenge, []byte(",")) {
			if count, ok := bytes.CutPrefix(field, []byte("i=")); ok {
				if n, err := strconv.Atoi(string(count)); err != nil || n > maxIterations {
					return nil, errIterations
				}
			}
		}
	}
	return a.mechanism.Next(challenge, more)
}
