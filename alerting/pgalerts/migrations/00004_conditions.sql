-- +goose Up

-- The conditions are always true. Only the statements that name them use these indexes. Otherwise the server takes
-- them for as good as the primary key when it finds an alert by its ID, as each check of a foreign key does, as long as
-- it has no statistics, and goes through all alerts of the organization.
DROP INDEX auditwarden_alerts_newest;
CREATE INDEX auditwarden_alerts_newest ON auditwarden_alerts (organization_id, created_at, id) WHERE octet_length(fingerprint) > 0;
DROP INDEX auditwarden_alerts_incident;
CREATE INDEX auditwarden_alerts_incident ON auditwarden_alerts (organization_id, fingerprint, resolved_at) WHERE octet_length(fingerprint) > 0;

-- +goose Down

DROP INDEX auditwarden_alerts_newest;
CREATE INDEX auditwarden_alerts_newest ON auditwarden_alerts (organization_id, created_at, id);
DROP INDEX auditwarden_alerts_incident;
CREATE INDEX auditwarden_alerts_incident ON auditwarden_alerts (organization_id, fingerprint, resolved_at);
