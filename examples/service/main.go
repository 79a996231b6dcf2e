// Command service is an HTTP service that watches its own audit trail. By itself it
// needs nothing; with DATABASE_URL and REDIS_URL in its environment, any number of
// instances work as one.
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		return err
	}
	var s *service
	if url := os.Getenv("DATABASE_URL"); url == "" {
		s, err = alone()
	} else {
		s, err = shared(ctx, url, os.Getenv("REDIS_URL"))
	}
	if err != nil {
		return err
	}
	return serve(ctx, listener, s.handler(), s.monitor)
}

// serve serves requests until ctx is canceled. Then it ends the server, and after it
// the monitor, so that every event of every request is handled.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, m *monitor.Monitor) error {
	lasting := context.WithoutCancel(ctx) // what has begun is finished after ctx
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	watching, serving := make(chan error, 1), make(chan error, 1)
	go func() { watching <- m.Run(lasting) }()
	go func() { serving <- server.Serve(listener) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-serving:
	}
	limited, cancel := context.WithTimeout(lasting, 20*time.Second)
	defer cancel()
	return errors.Join(failed, server.Shutdown(limited), m.Shutdown(limited), <-watching)
}
