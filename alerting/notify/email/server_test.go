package email_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A server is a mail server whose replies a test can choose.
type server struct {
	addr  string
	tls   *tls.Config // nil: no STARTTLS
	first bool        // TLS comes first
	auth  string      // mechanisms to be offered
	scram string      // what follows the nonce in the challenge of SCRAM
	// replies replace the usual ones, by command or line. "HANG" sends nothing and
	// "RESET" breaks the connection off.
	replies map[string]string
	// floods are called after a command instead of replying.
	floods map[string]func(net.Conn)

	mu       sync.Mutex
	commands []string
	mails    []string
	released chan struct{}
}

// start makes the server listen until the test ends.
func (s *server) start(tb testing.TB) *server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s.addr, s.released = l.Addr().String(), make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn) })
		}
	})
	tb.Cleanup(func() {
		l.Close()
		close(s.released)
		serving.Wait()
	})
	return s
}

func (s *server) serve(conn net.Conn) {
	raw := conn
	defer func() { raw.Close() }()
	if s.first {
		conn = tls.Server(conn, s.tls)
	}
	r := bufio.NewReader(conn)
	encrypted := s.first
	command, usual := "GREETING", "220 mail.example ESMTP"
	for {
		reply, special := s.reply(command)
		if flood := s.floods[command]; flood != nil {
			flood(conn)
			return
		}
		switch {
		case !special:
			reply = usual
		case reply == "HANG":
			<-s.released
			return
		case reply == "RESET":
			raw.(*net.TCPConn).SetLinger(0)
			return
		}
		fmt.Fprintf(conn, "%s\r\n", reply)
		if command == "STARTTLS" && !special {
			conn = tls.Server(conn, s.tls)
			r, encrypted = bufio.NewReader(conn), true
		}
		if command == "DATA" && strings.HasPrefix(reply, "354") {
			mail, err := readMail(r)
			if err != nil {
				return
			}
			s.note("MAIL END", mail)
			command, usual = "END", "250 accepted"
			continue
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.note(line, "")
		command, _, _ = strings.Cut(strings.ToUpper(line), " ")
		if _, special := s.reply(line); special {
			command = line
		}
		usual = "250 OK"
		if first, err := base64.StdEncoding.DecodeString(line); err == nil && bytes.HasPrefix(first, []byte("n,,")) {
			_, nonce, _ := bytes.Cut(first, []byte(",r="))
			usual = "334 " + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "r=%s%s", nonce, s.scram))
		}
		switch command {
		case "EHLO":
			usual = "250-mail.example"
			if s.tls != nil && !encrypted {
				usual += "\r\n250-STARTTLS"
			}
			if s.auth != "" {
				usual += "\r\n250-AUTH " + s.auth
			}
			usual += "\r\n250 8BITMIME"
		case "STARTTLS":
			usual = "220 go ahead"
		case "AUTH":
			usual = "235 welcome"
			if strings.HasPrefix(line, "AUTH SCRAM") {
				usual = "334 "
			}
		case "DATA":
			usual = "354 go on"
		case "QUIT":
			usual = "221 bye"
		}
	}
}

// readMail reads up to the line with the period.
func readMail(r io.Reader) (string, error) {
	var mail strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		if line == "." {
			return mail.String(), nil
		}
		mail.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
	return "", io.ErrUnexpectedEOF
}

func (s *server) reply(command string) (reply string, special bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, special = s.replies[command]
	return reply, special
}

// answer replaces what the server replies to commands or lines.
func (s *server) answer(replies map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = replies
}

func (s *server) note(command, mail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
	if mail != "" {
		s.mails = append(s.mails, mail)
	}
}

// forget forgets what was received.
func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands, s.mails = nil, nil
}

func (s *server) received() (commands, mails []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands, s.mails
}
