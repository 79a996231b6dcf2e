-- +goose Up

-- A hash of the fingerprint and the event key, by which a redelivered event is found. Null in rows of earlier releases.
ALTER TABLE auditwarden_alert_occurrences ADD COLUMN incident_event bigint;
CREATE INDEX auditwarden_alert_occurrences_event ON auditwarden_alert_occurrences (incident_event) WHERE incident_event IS NOT NULL;

-- Organizations take turns when notifications are routed and claimed.
CREATE INDEX auditwarden_alert_outbox_turns ON auditwarden_alert_outbox (route, organization_id, due_at, sequence) WHERE NOT dead;
DROP INDEX auditwarden_alert_outbox_waiting;

-- After a change of the settings, RunTimers goes through the open alerts and computes their timers again.
ALTER TABLE auditwarden_alert_settings
    ADD COLUMN sweep_due     timestamptz, -- when to go on, null if all timers are right
    ADD COLUMN swept_created timestamptz, -- the last alert so far, null at the beginning
    ADD COLUMN swept_id      uuid,
    ADD COLUMN sweep_missed  boolean NOT NULL DEFAULT false, -- whether alerts were locked by others
    ADD COLUMN sweep_horizon xid8; -- older transactions may set timers by the old settings, null until it is known
CREATE INDEX auditwarden_alert_settings_sweep ON auditwarden_alert_settings (sweep_due) WHERE sweep_due IS NOT NULL;

-- +goose Down

DROP INDEX auditwarden_alert_settings_sweep;
ALTER TABLE auditwarden_alert_settings
    DROP COLUMN sweep_due,
    DROP COLUMN swept_created,
    DROP COLUMN swept_id,
    DROP COLUMN sweep_missed,
    DROP COLUMN sweep_horizon;
CREATE INDEX auditwarden_alert_outbox_waiting ON auditwarden_alert_outbox (route, due_at, sequence) WHERE NOT dead;
DROP INDEX auditwarden_alert_outbox_turns;
ALTER TABLE auditwarden_alert_occurrences DROP COLUMN incident_event;
