-- +goose Up

-- The JSON of the event, exactly as the monitor has written it, null if it is not kept.
ALTER TABLE auditwarden_alert_occurrences ADD COLUMN evidence text CHECK (evidence <> '');
CREATE INDEX auditwarden_alert_occurrences_evidence ON auditwarden_alert_occurrences (organization_id, alert_id)
    WHERE evidence IS NOT NULL;

-- How much of it an alert has.
ALTER TABLE auditwarden_alerts
    ADD COLUMN evidence_events integer NOT NULL DEFAULT 0 CHECK (evidence_events >= 0),
    ADD COLUMN evidence_bytes  bigint  NOT NULL DEFAULT 0 CHECK (evidence_bytes >= 0);

-- +goose Down

ALTER TABLE auditwarden_alerts
    DROP COLUMN evidence_events,
    DROP COLUMN evidence_bytes;
DROP INDEX auditwarden_alert_occurrences_evidence;
ALTER TABLE auditwarden_alert_occurrences DROP COLUMN evidence;
