package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// An ExchangeError says why an exchange failed, in words that anybody may read. What it
// wraps has the addresses and names that only the operator may read, and no secret.
type ExchangeError struct {
	text  string
	cause error
}

func (e *ExchangeError) Error() string { return e.text }

func (e *ExchangeError) Unwrap() error { return e.cause }

// Detail returns the text of what the failure wraps.
func (e *ExchangeError) Detail() string {
	if e.cause == nil {
		return e.text
	}
	return e.cause.Error()
}

// Explain returns why an exchange within a context failed: that the address was
// refused, that the context ended, or that the network or TLS failed. For all other
// errors, which may quote the URL, the request or the response, it returns the
// other text.
func Explain(ctx context.Context, err error, other string) *ExchangeError {
	if e, ok := errors.AsType[*AddressError](err); ok {
		return &ExchangeError{"the address is neither public nor in an allowed network", e}
	}
	if e, ok := errors.AsType[*tunnelError](err); ok {
		return &ExchangeError{e.Error(), nil}
	}
	switch e := ctx.Err(); {
	case errors.Is(e, context.DeadlineExceeded):
		return &ExchangeError{"timed out", e}
	case e != nil:
		return &ExchangeError{"canceled", e}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &ExchangeError{"the certificate is not trusted", e}
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return &ExchangeError{"no such host", e}
		}
		return &ExchangeError{"the name cannot be looked up", e}
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &ExchangeError{"the server does not speak TLS", errors.New(e.Msg)} // e has its bytes
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return &ExchangeError{"TLS failed", e}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return &ExchangeError{operation(e), e}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &ExchangeError{"the response is cut off", io.ErrUnexpectedEOF}
	}
	return &ExchangeError{other, nil}
}

func operation(e *net.OpError) string {
	switch {
	case errors.Is(e, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(e, syscall.ECONNRESET), errors.Is(e, syscall.EPIPE):
		return "connection reset"
	case errors.Is(e, syscall.EHOSTUNREACH), errors.Is(e, syscall.ENETUNREACH):
		return "no route to the host"
	case e.Timeout():
		return "timed out"
	}
	return "connection failed"
}
