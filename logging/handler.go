package logging

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Options are the options of [NewJSONHandler] and [NewConsoleHandler]. A field
// with its zero value has the documented default.
type Options struct {
	// Level is the lowest level that is written. Defaults to info. Use a
	// [slog.LevelVar] to change the level at any time.
	Level slog.Leveler
	// Environment, Application, Module and Version identify the origin of a record.
	// The console handler only writes the module.
	Environment, Application, Module, Version string
	// TraceIDs returns the IDs of the trace and the span in the context, or empty
	// strings. If it is nil, records contain no such IDs.
	TraceIDs func(ctx context.Context) (traceID, spanID string)
	// Redactor removes secrets. Defaults to NewRedactor(nil).
	Redactor *Redactor
	// Color makes the console handler write the level in color. The handler does not
	// check whether it writes to a terminal.
	Color bool
}

type requestIDKey struct{}

// WithRequestID returns a context with the ID of a request. The handlers add this
// ID to every record that is logged with the context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// A Handler is a [slog.Handler] that writes lines. It is safe for concurrent use.
type Handler struct {
	options Options
	format  func(buf []byte, o *Options, l *line) []byte
	out     *output
	scopes  []scope
}

// output is the writer that a handler shares with those derived from it.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// scope is what one call of WithAttrs or WithGroup has added: attributes or the
// name of a group.
type scope struct {
	group string
	attrs []slog.Attr
}

// line is a record that is ready to be written and has no secrets.
type line struct {
	time                       time.Time
	level                      slog.Level
	message                    string
	requestID, traceID, spanID string
	attrs                      []slog.Attr // as Redactor.attrs leaves them
}

func newHandler(w io.Writer, options *Options, format func([]byte, *Options, *line) []byte) *Handler {
	o := *cmp.Or(options, &Options{})
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	if o.Redactor == nil {
		o.Redactor = NewRedactor(nil)
	}
	return &Handler{options: o, format: format, out: &output{w: w}}
}

// Enabled reports whether records of the level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.options.Level.Level()
}

// WithAttrs returns a handler that adds the attributes to every record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(scope{attrs: attrs}, len(attrs) == 0)
}

// WithGroup returns a handler that puts all further attributes into the group.
func (h *Handler) WithGroup(name string) slog.Handler {
	return h.with(scope{group: name}, name == "")
}

func (h *Handler) with(s scope, empty bool) slog.Handler {
	if empty {
		return h
	}
	derived := *h
	derived.scopes = append(slices.Clip(h.scopes), s)
	return &derived
}

// Handle writes the record. It returns the error of the writer.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	redact := h.options.Redactor
	l := line{
		time:    r.Time,
		level:   r.Level,
		message: redact.String(r.Message),
		attrs:   redact.attrs(h.attrs(r)),
	}
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		l.requestID = redact.String(id)
	}
	if h.options.TraceIDs != nil {
		l.traceID, l.spanID = h.options.TraceIDs(ctx)
	}
	text := append(h.format(make([]byte, 0, 512), &h.options, &l), '\n')
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := h.out.w.Write(text)
	return err
}

// attrs returns the record's attributes after those of the handler, inside the
// handler's groups.
func (h *Handler) attrs(r slog.Record) []slog.Attr {
	attrs := make([]slog.Attr, 0, r.NumAttrs()+len(h.scopes))
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for _, s := range slices.Backward(h.scopes) {
		if s.group != "" {
			attrs = []slog.Attr{slog.GroupAttrs(s.group, attrs...)}
		} else {
			attrs = slices.Concat(s.attrs, attrs)
		}
	}
	return attrs
}
