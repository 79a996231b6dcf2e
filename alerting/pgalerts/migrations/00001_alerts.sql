-- +goose Up

-- An alert is open while resolved_at is null.
CREATE TABLE auditwarden_alerts (
    organization_id  text        NOT NULL CHECK (octet_length(organization_id) BETWEEN 1 AND 1000),
    id               uuid        NOT NULL,
    fingerprint      bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    severity         smallint    NOT NULL CHECK (severity BETWEEN 0 AND 4), -- INFO to CRITICAL
    type             text        NOT NULL,
    title            text        NOT NULL,
    description      text        NOT NULL,
    source           text        NOT NULL,
    status           text        NOT NULL CHECK (status IN ('active', 'acknowledged', 'resolved', 'dismissed')),
    correlation_id   text        NOT NULL,
    tags             jsonb       NOT NULL CHECK (jsonb_typeof(tags) = 'array'),
    metadata         jsonb       NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    rule             text        NOT NULL,
    finding          jsonb       NOT NULL CHECK (jsonb_typeof(finding) = 'object'),
    event_key        bytea       NOT NULL CHECK (octet_length(event_key) = 16), -- of the first occurrence
    occurrences      bigint      NOT NULL CHECK (occurrences >= 1),
    first_seen       timestamptz NOT NULL, -- event time, as the next two
    last_seen        timestamptz NOT NULL,
    notified_at      timestamptz,
    created_at       timestamptz NOT NULL, -- this server's time, as all that follow
    updated_at       timestamptz NOT NULL,
    acknowledged_at  timestamptz,
    acknowledged_by  text,
    resolved_at      timestamptz,
    resolved_by      text,
    resolution_notes text,
    version          bigint      NOT NULL CHECK (version >= 1),
    active_version   bigint      NOT NULL CHECK (active_version BETWEEN 1 AND version), -- when it was opened, reopened or became worse
    active_since     timestamptz NOT NULL,
    escalation_step  integer     NOT NULL DEFAULT 0 CHECK (escalation_step >= 0),
    timer_due        timestamptz, -- when to look whether it is to be escalated or resolved, null for never

    PRIMARY KEY (organization_id, id),
    CHECK (first_seen <= last_seen),
    CHECK ((status IN ('active', 'acknowledged')) = (resolved_at IS NULL)),
    CHECK (status <> 'acknowledged' OR acknowledged_at IS NOT NULL),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
    CHECK (resolved_at IS NULL OR timer_due IS NULL)
) WITH (fillfactor = 80); -- room for repeats, which change no indexed column

-- There is one open alert for a fingerprint.
CREATE UNIQUE INDEX auditwarden_alerts_one_open ON auditwarden_alerts (organization_id, fingerprint) WHERE resolved_at IS NULL;
-- The last alert of a fingerprint.
CREATE INDEX auditwarden_alerts_incident ON auditwarden_alerts (organization_id, fingerprint, resolved_at);
-- Listings: of an organization, of all, and the same of open alerts. The conditions are such that only the
-- statements that name them use the index: looking for the open alert of a fingerprint never uses the second
-- pair, and a listing of one organization never walks past the alerts of others.
CREATE INDEX auditwarden_alerts_newest ON auditwarden_alerts (organization_id, created_at, id);
CREATE INDEX auditwarden_alerts_newest_of_all ON auditwarden_alerts (created_at, id)
    WHERE octet_length(organization_id) > 0;
CREATE INDEX auditwarden_alerts_newest_open ON auditwarden_alerts (organization_id, created_at, id) WHERE status IN ('active', 'acknowledged');
CREATE INDEX auditwarden_alerts_newest_open_of_all ON auditwarden_alerts (created_at, id)
    WHERE octet_length(organization_id) > 0 AND status IN ('active', 'acknowledged');
-- Purge.
CREATE INDEX auditwarden_alerts_closed ON auditwarden_alerts (organization_id, resolved_at) WHERE status IN ('resolved', 'dismissed');
-- RunTimers.
CREATE INDEX auditwarden_alerts_timer ON auditwarden_alerts (timer_due) WHERE timer_due IS NOT NULL;

-- A row per change of status; the first says that the alert was opened.
CREATE TABLE auditwarden_alert_history (
    organization_id text        NOT NULL,
    alert_id        uuid        NOT NULL,
    version         bigint      NOT NULL CHECK (version >= 1), -- the alert's after the change
    status_from     text        CHECK (status_from IN ('active', 'acknowledged', 'resolved', 'dismissed')),
    status_to       text        NOT NULL CHECK (status_to IN ('active', 'acknowledged', 'resolved', 'dismissed')),
    changed_by      text        NOT NULL,
    note            text        NOT NULL,
    changed_at      timestamptz NOT NULL,

    PRIMARY KEY (organization_id, alert_id, version),
    FOREIGN KEY (organization_id, alert_id) REFERENCES auditwarden_alerts ON DELETE CASCADE,
    CHECK ((status_from IS NULL) = (version = 1))
);

-- A row per event that an alert has counted.
CREATE TABLE auditwarden_alert_occurrences (
    organization_id text        NOT NULL,
    alert_id        uuid        NOT NULL,
    event_key       bytea       NOT NULL CHECK (octet_length(event_key) = 16),
    occurrences     bigint      NOT NULL CHECK (occurrences >= 1),
    last_seen       timestamptz NOT NULL,

    PRIMARY KEY (organization_id, alert_id, event_key),
    FOREIGN KEY (organization_id, alert_id) REFERENCES auditwarden_alerts ON DELETE CASCADE
);

-- A row per notification that is to be routed, or to be delivered on a route.
CREATE TABLE auditwarden_alert_outbox (
    organization_id text        NOT NULL,
    alert_id        uuid        NOT NULL,
    route           text        NOT NULL, -- empty until it is routed
    idempotency_key text        NOT NULL, -- the same however often and wherever it is delivered
    sequence        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY, -- by age among those of an alert and route
    reason          text        NOT NULL CHECK (reason <> ''),
    targets         text[]      NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL, -- when it was due first
    due_at          timestamptz NOT NULL, -- when it can be claimed
    attempts        integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- claims
    failure         text        NOT NULL DEFAULT '',
    dead            boolean     NOT NULL DEFAULT false,

    PRIMARY KEY (organization_id, alert_id, route, idempotency_key),
    FOREIGN KEY (organization_id, alert_id) REFERENCES auditwarden_alerts ON DELETE CASCADE
);

-- Claims, and the size of the backlog.
CREATE INDEX auditwarden_alert_outbox_waiting ON auditwarden_alert_outbox (route, due_at, sequence) WHERE NOT dead;
-- Dead letters: of an organization, of all.
CREATE INDEX auditwarden_alert_outbox_dead ON auditwarden_alert_outbox (organization_id, sequence) WHERE dead;
CREATE INDEX auditwarden_alert_outbox_dead_of_all ON auditwarden_alert_outbox (sequence) WHERE dead;

CREATE TABLE auditwarden_alert_settings (
    organization_id text   NOT NULL PRIMARY KEY CHECK (octet_length(organization_id) BETWEEN 1 AND 1000),
    version         bigint NOT NULL CHECK (version >= 1),
    settings        jsonb  NOT NULL CHECK (jsonb_typeof(settings) = 'object')
);

-- The alerts under the column names and types that docs/compatibility.md lists.
CREATE VIEW auditwarden_reference_alerts WITH (security_invoker = true) AS
SELECT
    id::text                                                        AS id,
    organization_id,
    (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[severity + 1] AS severity,
    type,
    title,
    description,
    source,
    status,
    NULLIF(correlation_id, '')                                      AS correlation_id,
    metadata,
    CASE WHEN acknowledged_at IS NULL THEN 'false' ELSE 'true' END  AS acknowledged,
    acknowledged_at,
    acknowledged_by,
    CASE WHEN resolved_at IS NULL THEN 'false' ELSE 'true' END      AS resolved,
    resolved_at,
    resolved_by,
    resolution_notes,
    tags,
    created_at,
    updated_at
FROM auditwarden_alerts;

-- Row-level security has no effect until it is enabled, see SetRowSecurity.
CREATE POLICY auditwarden_tenant ON auditwarden_alerts
    USING (organization_id = (SELECT current_setting('app.organization', true))
        OR (SELECT current_setting('app.all_organizations', true)) = 'on')
    WITH CHECK (organization_id = (SELECT current_setting('app.organization', true)));
CREATE POLICY auditwarden_tenant ON auditwarden_alert_history
    USING (organization_id = (SELECT current_setting('app.organization', true))
        OR (SELECT current_setting('app.all_organizations', true)) = 'on')
    WITH CHECK (organization_id = (SELECT current_setting('app.organization', true)));
CREATE POLICY auditwarden_tenant ON auditwarden_alert_occurrences
    USING (organization_id = (SELECT current_setting('app.organization', true))
        OR (SELECT current_setting('app.all_organizations', true)) = 'on')
    WITH CHECK (organization_id = (SELECT current_setting('app.organization', true)));
CREATE POLICY auditwarden_tenant ON auditwarden_alert_outbox -- delivered for all organizations
    USING (organization_id = (SELECT current_setting('app.organization', true))
        OR (SELECT current_setting('app.all_organizations', true)) = 'on');
CREATE POLICY auditwarden_tenant ON auditwarden_alert_settings
    USING (organization_id = (SELECT current_setting('app.organization', true))
        OR (SELECT current_setting('app.all_organizations', true)) = 'on')
    WITH CHECK (organization_id = (SELECT current_setting('app.organization', true)));

-- +goose Down

DROP VIEW auditwarden_reference_alerts;
DROP TABLE auditwarden_alert_settings;
DROP TABLE auditwarden_alert_outbox;
DROP TABLE auditwarden_alert_occurrences;
DROP TABLE auditwarden_alert_history;
DROP TABLE auditwarden_alerts;
