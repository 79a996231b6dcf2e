package logging_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/auditwarden/auditwarden/logging"
)

// exampleTime gives the records of the examples a time that does not change.
type exampleTime struct{ slog.Handler }

func (h exampleTime) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Date(2023, 10, 26, 10, 30, 0, 0, time.UTC)
	return h.Handler.Handle(ctx, r)
}

func Example() {
	logger := slog.New(exampleTime{logging.NewJSONHandler(os.Stdout, &logging.Options{
		Environment: "production", Application: "api", Module: "store", Version: "1.4.0",
	})})
	ctx := logging.WithRequestID(context.Background(), "r-1")
	logger.WarnContext(ctx, "cannot connect", "error", errors.New("dial postgres://audit:hunter2@db/audit: timeout"), "attempt", 3)
	// Output:
	// {"type":"log","environment":"production","application":"api","module":"store","version":"1.4.0","requestId":"r-1","time":1698316200000,"level":"warn","message":"cannot connect","context":{"error":"dial postgres://audit:[REDACTED]@db/audit: timeout","attempt":3}}
}

func ExampleNewConsoleHandler() {
	logger := slog.New(exampleTime{logging.NewConsoleHandler(os.Stdout, &logging.Options{Module: "store"})})
	logger.Error("cannot connect", "error", errors.New("dial tcp: timeout"), slog.Group("retry", "attempt", 3))
	// Output:
	// 2023-10-26T10:30:00.000Z ERROR store cannot connect error="dial tcp: timeout" retry.attempt=3
}

func ExampleNewSamplingHandler() {
	handler := logging.NewSamplingHandler(
		logging.NewConsoleHandler(os.Stdout, nil),
		&logging.SamplingOptions{First: 1, Thereafter: 3})
	logger := slog.New(exampleTime{handler})
	for range 5 {
		logger.Warn("queue is full")
	}
	fmt.Println("dropped:", handler.Dropped())
	// Output:
	// 2023-10-26T10:30:00.000Z WARN  queue is full
	// 2023-10-26T10:30:00.000Z WARN  queue is full dropped=2
	// dropped: 3
}

func ExampleRedactor() {
	redactor := logging.NewRedactor(&logging.RedactorOptions{Keys: []string{"patient name"}})
	fmt.Println(redactor.String("GET /records?token=abc"))
	fmt.Println(redactor.Value("patientName", "Ann"))
	fmt.Println(redactor.Value("request", map[string]any{"user": "bob", "apiKey": "abc"}))
	// Output:
	// GET /records?token=[REDACTED]
	// [REDACTED]
	// map[apiKey:[REDACTED] user:bob]
}

func ExampleLevelFromEnv() {
	level := new(slog.LevelVar) // may be changed at any time
	if fromEnv, err := logging.LevelFromEnv(); err != nil {
		fmt.Println(err)
	} else {
		level.Set(fromEnv)
	}
	logger := slog.New(exampleTime{logging.NewConsoleHandler(os.Stdout, &logging.Options{Level: level})})
	logger.Log(context.Background(), logging.LevelFatal, "cannot start")
	// Output:
	// 2023-10-26T10:30:00.000Z FATAL cannot start
}
