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
const maxReplies = 1 << 20

// A limitedConn reads a limited number of bytes.
type limitedConn struct {
	net.Conn
	left int
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
