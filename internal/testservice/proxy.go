package testservice

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Proxy stands between clients and a server. It can lose the replies of the
// server.
type Proxy struct {
	// Addr is the host:port where it listens.
	Addr string

	cutting atomic.Bool
	cuts    atomic.Int64
}

// NewProxy returns a proxy for the server at an address. It ends with the test,
// after its clients, which the test has to close before.
func NewProxy(tb testing.TB, server string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &Proxy{Addr: listener.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			serving.Go(func() { p.serve(client, server) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		serving.Wait() // the client was closed before
	})
	return p
}

// Cut makes the proxy end a connection instead of passing on a reply, or pass on
// replies again.
func (p *Proxy) Cut(cutting bool) { p.cutting.Store(cutting) }

// Cuts returns the number of connections that were ended because of Cut.
func (p *Proxy) Cuts() int64 { return p.cuts.Load() }

// serve passes on what client and server send, until one of them hangs up.
func (p *Proxy) serve(client net.Conn, addr string) {
	defer hangUp(client)
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer hangUp(server)
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		_, _ = io.Copy(server, client)
		hangUp(server)
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err == nil && p.cutting.Load() {
			p.cuts.Add(1)
			err = io.EOF
		} else if n > 0 {
			_, err = client.Write(buf[:n])
		}
		if err != nil {
			hangUp(client)
			return
		}
	}
}

func hangUp(c net.Conn) { _ = c.Close() } // it may be closed already
