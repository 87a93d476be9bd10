-- migrate:up

-- What notifications must know of entities: a copy, made from their events.
-- active_during tells at which moments an entity was active, also after it changed.
CREATE TABLE entities (
    entity_id     text           PRIMARY KEY,
    version       integer        NOT NULL,
    label         text           NOT NULL,
    mailbox       text           NOT NULL,
    channels      text[]         NOT NULL,
    heard_at      timestamptz    NOT NULL,
    active_during tstzmultirange NOT NULL
) WITH (fillfactor = 70);

-- The mailboxes that entities read; one that is not declared yet has no queue on the broker.
CREATE TABLE mailboxes (
    name        text        PRIMARY KEY,
    declared_at timestamptz,
    next_try_at timestamptz NOT NULL,
    error       text
);
CREATE INDEX mailboxes_undeclared ON mailboxes (next_try_at) WHERE declared_at IS NULL;
-- The mailbox of operators comes with the topology.
INSERT INTO mailboxes (name, declared_at, next_try_at) VALUES ('central', now(), now());

-- What a notice shows of packages: a copy, made from their events.
CREATE TABLE packages (
    package_id               text        PRIMARY KEY,
    version                  integer     NOT NULL,
    edition                  integer     NOT NULL,
    label                    text        NOT NULL,
    distribution_level       text        NOT NULL,
    campaign_id              text        NOT NULL,
    starts_at                timestamptz NOT NULL,
    ends_at                  timestamptz NOT NULL,
    available_at             timestamptz,
    registration_deadline    timestamptz,
    personalization_deadline timestamptz,
    audience_digest          text
) WITH (fillfactor = 60);

-- One row for each thing that recipients are told of: what all its notices share.
-- version is that of the event that told of it; 0 and no notice as long as only its orders are known.
-- happening_id rises in the order of what happened.
CREATE TABLE happenings (
    happening_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text        NOT NULL,
    subject      text        NOT NULL,
    edition      integer     NOT NULL,
    happening    text        NOT NULL,
    package_id   text        NOT NULL,
    order_id     text,
    version      integer     NOT NULL,
    happened_at  timestamptz NOT NULL,
    notice       text,
    cause        jsonb       NOT NULL,
    superseded   boolean     NOT NULL DEFAULT false,
    UNIQUE (subject, kind, edition, happening)
) WITH (fillfactor = 80);

-- One row for each recipient and channel of a happening.
-- next_try_at is null as long as it has not been looked at: it goes as soon as it can.
CREATE TABLE notifications (
    happening_id    bigint      NOT NULL,
    recipient_type  text        NOT NULL,
    recipient_id    text        NOT NULL,
    channel         text        NOT NULL,
    package_id      text        NOT NULL,
    recipient_label text,
    round           smallint    NOT NULL DEFAULT 0,
    attempts        smallint    NOT NULL DEFAULT 0,
    status          text        NOT NULL DEFAULT 'pending',
    error           text,
    added_at        timestamptz NOT NULL,
    next_try_at     timestamptz,
    sent_at         timestamptz,
    PRIMARY KEY (happening_id, recipient_id, recipient_type, channel)
) WITH (fillfactor = 60);
-- The next to send, however many old rows there are. Most rows are in no other index but these
-- two, ever: the one below and that of their key.
CREATE INDEX notifications_new ON notifications (round, happening_id)
    WHERE status = 'pending' AND next_try_at IS NULL;
CREATE INDEX notifications_again ON notifications (round, next_try_at, happening_id)
    WHERE status = 'pending' AND next_try_at IS NOT NULL;
-- What has to wait, by recipient and package: whatever comes behind it waits as well.
CREATE INDEX notifications_line ON notifications (package_id, recipient_id, happening_id)
    WHERE status = 'pending' AND next_try_at IS NOT NULL;

-- Who sends: each recipient belongs to one round, and whoever holds a round sends to all of it.
-- A lease of sixteen rows in place of one of every notification.
CREATE TABLE rounds (
    round       smallint    PRIMARY KEY,
    holder      uuid,
    taken_until timestamptz NOT NULL,
    worked_at   timestamptz NOT NULL
) WITH (fillfactor = 30);
INSERT INTO rounds (round, taken_until, worked_at)
SELECT n, now(), now() FROM generate_series(0, 15) AS n;

-- Jobs: happenings whose recipients are not all in notifications yet. A row goes when it is done.
-- audience is who is told; null is every entity active at as_of.
CREATE TABLE fanouts (
    fanout_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happening_id bigint      NOT NULL,
    package_id   text        NOT NULL,
    edition      integer     NOT NULL,
    audience     text[],
    as_of        timestamptz NOT NULL,
    position     integer     NOT NULL DEFAULT 0,
    cursor       text        NOT NULL DEFAULT '',
    worked_at    timestamptz NOT NULL
) WITH (fillfactor = 60);
-- What happened later to the same package waits for it.
CREATE INDEX fanouts_package ON fanouts (package_id, happening_id);

-- One row for each cancel of an edition: what has come of it, and what was made of that.
-- started_at is null as long as only its orders are known, orders_canceled until their report.
CREATE TABLE cancels (
    package_id      text        NOT NULL,
    edition         integer     NOT NULL,
    started_at      timestamptz,
    foreseen        integer     NOT NULL DEFAULT 0,
    orders_seen     integer     NOT NULL DEFAULT 0,
    orders_canceled integer,
    expected        integer     NOT NULL DEFAULT 0,
    tried           integer     NOT NULL DEFAULT 0,
    sent            integer     NOT NULL DEFAULT 0,
    superseded      integer     NOT NULL DEFAULT 0,
    completed_at    timestamptz,
    cause           jsonb       NOT NULL,
    PRIMARY KEY (package_id, edition)
) WITH (fillfactor = 60);
CREATE INDEX cancels_running ON cancels (started_at) WHERE completed_at IS NULL;

-- migrate:down

DROP TABLE cancels, fanouts, rounds, notifications, happenings, packages, mailboxes, entities;
