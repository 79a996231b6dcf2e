-- +goose Up

-- The trace and the span in which the event was processed that opened the alert, null if there was none.
ALTER TABLE auditwarden_alerts
    ADD COLUMN trace_id bytea CHECK (octet_length(trace_id) = 16),
    ADD COLUMN span_id  bytea CHECK (octet_length(span_id) = 8);

-- +goose Down

ALTER TABLE auditwarden_alerts
    DROP COLUMN trace_id,
    DROP COLUMN span_id;
