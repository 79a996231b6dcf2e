package email

import (
	"errors"
	"io"
	"net"
	"net/textproto"

	"github.com/wneessen/go-mail"
)

// replyCode returns the code of the reply that caused an error, or 0.
func replyCode(err error) int {
	if e, ok := errors.AsType[*mail.SendError](err); ok {
		return e.ErrorCode()
	}
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return e.Code
	}
	return 0
}

// maxReplies is how much a server may send in one session, in bytes.
const maxReplies = 128 << 10

// A limitedConn reads a limited number of bytes.
type limitedConn struct {
	net.Conn
	limited io.Reader // of what comes from Conn
}

func (c *limitedConn) Read(p []byte) (int, error) { return c.limited.Read(p) }
