package email

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"

	"github.com/auditwarden/auditwarden/alerting/notify"
)

// replyCode returns the code of the reply that caused an error, or 0.
func replyCode(err error) int {
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return e.Code
	}
	return 0
}

// isRefusal reports whether an error is a reply by which a session goes on.
func isRefusal(err error) bool {
	kind := replyCode(err) / 100
	return kind == 4 || kind == 5
}

// replyTexts returns the reply of an error as text for everybody and for the operator.
func replyTexts(err error, secrets []notify.Secret) (public, detail string) {
	code := fmt.Sprint("reply ", replyCode(err))
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok || !isRefusal(err) {
		return code, code
	}
	public, detail = notify.Reason(reply.Msg, secrets...)
	return label(code, public), label(code, detail)
}

// label returns a text with a label in front of it, if there is a text.
func label(name, text string) string {
	if text == "" {
		return name
	}
	return name + ": " + text
}

// maxReplies is how much a server may send in one session, in bytes.
const maxReplies = 128 << 10

// A limitedConn reads a limited number of bytes.
type limitedConn struct {
	net.Conn
	limited io.Reader // of what comes from Conn
}

func (c *limitedConn) Read(p []byte) (int, error) { return c.limited.Read(p) }
