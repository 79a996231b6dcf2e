package redismetrics_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A proxy stands between a client and a server. While it is cutting, it ends a
// connection in place of passing on what the server replies.
type proxy struct {
	addr    string
	cutting atomic.Bool
	cuts    atomic.Int64
}

func newProxy(tb testing.TB, server string) *proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String()}
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
		listener.Close()
		serving.Wait() // the client was closed before
	})
	return p
}

// serve passes on what client and server send until one of them ends.
func (p *proxy) serve(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close()
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
			client.Close()
			return
		}
	}
}
