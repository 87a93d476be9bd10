-- migrate:up

CREATE TABLE packages (
    package_id                        text        PRIMARY KEY,
    label                             text        NOT NULL,
    distribution_level                text        NOT NULL,
    campaign_id                       text        NOT NULL,
    folder                            text,
    description                       text,
    documents                         jsonb,
    assigned_to                       jsonb,
    audience                          jsonb,
    starts_at                         timestamptz NOT NULL,
    ends_at                           timestamptz NOT NULL,
    available_at                      timestamptz,
    registration_deadline             timestamptz,
    personalization_deadline          timestamptz,
    approval_mode                     text        NOT NULL,
    approval_period_days              integer     NOT NULL,
    reviewers                         jsonb,
    reminders                         jsonb,
    several_orders                    boolean,
    start_targeting_on_order_approval boolean,
    notification_message              text,
    max_documents                     integer,
    status                            text        NOT NULL,
    edition                           integer     NOT NULL,
    version                           integer     NOT NULL,
    approval_deadline                 timestamptz,
    created_at                        timestamptz NOT NULL,
    submitted_at                      timestamptz,
    approved_at                       timestamptz,
    published_at                      timestamptz,
    canceled_at                       timestamptz,
    changed_at                        timestamptz NOT NULL,
    changed_by                        text
) WITH (fillfactor = 60);

-- What packages must know of campaigns: a copy, made from their events.
CREATE TABLE campaigns (
    campaign_id         text    PRIMARY KEY,
    version             integer NOT NULL,
    kind                text    NOT NULL,
    canceled            boolean NOT NULL,
    canceled_by_package text,
    canceled_by_edition integer
) WITH (fillfactor = 70);

-- The ledger: one row a cancel, which knows who has reported and who is waited for.
CREATE TABLE cancellations (
    package_id    text        NOT NULL,
    edition       integer     NOT NULL,
    started_at    timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    orders        jsonb,
    campaigns     jsonb,
    notifications jsonb,
    completed_at  timestamptz,
    stalled_at    timestamptz,
    cause         jsonb       NOT NULL,
    PRIMARY KEY (package_id, edition)
) WITH (fillfactor = 60);
-- Cancels under way that have not been announced as stalled.
CREATE INDEX cancellations_due ON cancellations (due_at)
    WHERE completed_at IS NULL AND stalled_at IS NULL;

-- migrate:down

DROP TABLE cancellations, campaigns, packages;
