package testservice

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An SMTPServer is a mail server for one test alone. It keeps the mails it accepts.
type SMTPServer struct {
	*process

	mail string // the folder of the mails
}

// SMTP starts a mail server. Further arguments are those of aiosmtpd, such as
// "--tlscert", file.
func SMTP(tb testing.TB, args ...string) *SMTPServer {
	tb.Helper()
	program := find(tb, "aiosmtpd", "python3-aiosmtpd")
	dir := tempDir(tb, nil)
	addr := "127.0.0.1:" + FreePort(tb)
	s := &SMTPServer{mail: filepath.Join(dir, "mail")}
	s.process = &process{
		Addr: addr, tb: tb, name: "aiosmtpd", dir: dir,
		args: append(append([]string{program, "--nosetuid", "--listen", addr,
			"--class", "aiosmtpd.handlers.Mailbox"}, args...), s.mail),
		ready: func() error {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
}

// Received returns the mails that the server has accepted, in no particular order.
func (s *SMTPServer) Received() []string {
	s.tb.Helper()
	files, err := filepath.Glob(filepath.Join(s.mail, "new", "*"))
	s.must(err)
	mails := make([]string, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		s.must(err)
		mails[i] = string(text)
	}
	return mails
}
