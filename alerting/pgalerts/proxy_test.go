package pgalerts_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// A proxy stands between a pool and its server and cuts connections.
type proxy struct {
	server   string
	listener net.Listener
	running  sync.WaitGroup

	mu sync.Mutex
	// cuts says what to do with the next commits; afterwards they pass.
	cuts []cut
	done int // how many of them were carried out
}

type cut int

const (
	passCommit cut = iota
	dropCommit     // the server never hears of it
	dropReply      // the client never hears of it
)

// newProxy returns a proxy, and the URL of the server through it.
func newProxy(t *testing.T, text string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{server: u.Host, listener: listener}
	u.Host = listener.Addr().String()
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.running.Wait()
	})
	return p, u.String()
}

// cut says what is to happen to the next commits.
func (p *proxy) cut(cuts ...cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts, p.done = cuts, 0
}

// carriedOut returns how many commits were cut or passed as cut wanted.
func (p *proxy) carriedOut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// next takes what is to happen to a commit.
func (p *proxy) next() cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cuts) == 0 {
		return passCommit
	}
	c := p.cuts[0]
	p.cuts = p.cuts[1:]
	p.done++
	return c
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve copies what client and server say to each other.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	defer both.Wait()
	defer server.Close()
	deaf := &switchWriter{to: client}
	both.Go(func() {
		io.Copy(deaf, server)
		client.Close()
	})
	backend := pgproto3.NewBackend(client, io.Discard)
	startup, err := backend.ReceiveStartupMessage()
	if err != nil || !forward(server, startup) {
		return
	}
	for {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if q, ok := message.(*pgproto3.Query); ok && strings.EqualFold(q.String, "commit") {
			switch p.next() {
			case dropCommit:
				return
			case dropReply:
				deaf.awaitReply()
				forward(server, message)
				<-deaf.replied
				return
			}
		}
		if !forward(server, message) {
			return
		}
	}
}

func forward(w io.Writer, message pgproto3.Message) bool {
	text, err := message.Encode(nil)
	if err == nil {
		_, err = w.Write(text)
	}
	return err == nil
}

// A switchWriter writes to the client until it is told to keep quiet.
type switchWriter struct {
	mu      sync.Mutex
	to      io.Writer
	replied chan struct{}
	once    sync.Once
}

var errDeaf = errors.New("the client hears nothing")

func (w *switchWriter) awaitReply() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replied = make(chan struct{})
}

func (w *switchWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.replied == nil {
		return w.to.Write(text)
	}
	if bytes.Contains(text, []byte("COMMIT")) {
		w.once.Do(func() { close(w.replied) })
	}
	return 0, errDeaf
}
