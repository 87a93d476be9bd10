-- migrate:up

CREATE TABLE orders (
    order_id          text        PRIMARY KEY,
    package_id        text        NOT NULL,
    edition           integer     NOT NULL,
    entity_id         text        NOT NULL,
    label             text        NOT NULL,
    comment           text,
    parameters        jsonb,
    documents         jsonb,
    status            text        NOT NULL,
    version           integer     NOT NULL,
    campaign_id       text,
    approval_deadline timestamptz,
    placed_at         timestamptz NOT NULL,
    approved_at       timestamptz,
    available_at      timestamptz,
    canceled_at       timestamptz,
    changed_at        timestamptz NOT NULL,
    changed_by        text
) WITH (fillfactor = 60);
-- Walked by a cancel, and looked into by each new order of an entity. Status is in no index, so
-- that a change of it stays within its page.
CREATE INDEX orders_life ON orders (package_id, edition, entity_id, order_id);

-- What orders must know of packages: a copy, made from their events.
CREATE TABLE offers (
    package_id            text        PRIMARY KEY,
    version               integer     NOT NULL,
    edition               integer     NOT NULL,
    status                text        NOT NULL,
    distribution_level    text        NOT NULL,
    campaign_id           text        NOT NULL,
    starts_at             timestamptz NOT NULL,
    ends_at               timestamptz NOT NULL,
    registration_deadline timestamptz,
    several_orders        boolean     NOT NULL,
    max_documents         integer,
    audience_digest       text,
    canceled_editions     integer[]   NOT NULL DEFAULT '{}'
) WITH (fillfactor = 60);

-- The entities an offer is limited to, where it is.
CREATE TABLE audiences (
    package_id text NOT NULL,
    entity_id  text NOT NULL,
    PRIMARY KEY (package_id, entity_id)
);

CREATE TABLE entities (
    entity_id text    PRIMARY KEY,
    version   integer NOT NULL,
    active    boolean NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE campaigns (
    campaign_id   text PRIMARY KEY,
    max_documents integer
);

-- One row a cancel of a package: how far its orders are.
CREATE TABLE cancels (
    package_id    text        NOT NULL,
    edition       integer     NOT NULL,
    state         text        NOT NULL,
    cursor_entity text        NOT NULL DEFAULT '',
    cursor_order  text        NOT NULL DEFAULT '',
    expected      integer,
    canceled      integer     NOT NULL DEFAULT 0,
    already_final integer     NOT NULL DEFAULT 0,
    worked_at     timestamptz NOT NULL,
    cause         jsonb       NOT NULL,
    PRIMARY KEY (package_id, edition)
) WITH (fillfactor = 60);
CREATE INDEX cancels_running ON cancels (worked_at) WHERE state = 'running';

-- migrate:down

DROP TABLE cancels, campaigns, entities, audiences, offers, orders;
