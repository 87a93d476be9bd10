-- migrate:up

CREATE TABLE campaigns (
    campaign_id         text        PRIMARY KEY,
    label               text        NOT NULL,
    kind                text        NOT NULL,
    distribution_level  text        NOT NULL,
    program             text,
    starts_at           timestamptz,
    ends_at             timestamptz,
    max_documents       integer,
    status              text        NOT NULL,
    version             integer     NOT NULL,
    -- For which package, edition and order a local or a child campaign was made, and from what.
    package_id          text,
    edition             integer,
    order_id            text,
    parent_id           text,
    process_ids         text[],
    canceled_at         timestamptz,
    -- The package and edition whose cancel canceled it, if one did.
    canceled_by_package text,
    canceled_by_edition integer,
    changed_at          timestamptz NOT NULL,
    changed_by          text
) WITH (fillfactor = 70);
-- A cancel walks the campaigns of an edition by key.
CREATE INDEX campaigns_made_for ON campaigns (package_id, edition, campaign_id)
    WHERE package_id IS NOT NULL;
-- A reinitialization finds what the cancel before it canceled.
CREATE INDEX campaigns_canceled_by ON campaigns (canceled_by_package)
    WHERE canceled_by_package IS NOT NULL;

CREATE TABLE processes (
    campaign_id text        NOT NULL,
    process_id  text        NOT NULL,
    kind        text        NOT NULL,
    label       text        NOT NULL,
    channel     text,
    status      text        NOT NULL,
    version     integer     NOT NULL,
    detail      text,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, process_id)
) WITH (fillfactor = 60);

-- What a package causes here, done in chunks: one row a cancel and one a reinitialization.
CREATE TABLE jobs (
    package_id        text    NOT NULL,
    edition           integer NOT NULL,
    kind              text    NOT NULL,
    campaign_id       text    NOT NULL,
    after_campaign    text    NOT NULL,
    after_process     text,
    visited           integer NOT NULL,
    expected          integer NOT NULL,
    campaigns         integer NOT NULL,
    processes_stopped integer NOT NULL,
    too_late          integer NOT NULL,
    done              boolean NOT NULL,
    cause             jsonb   NOT NULL,
    PRIMARY KEY (package_id, edition, kind)
) WITH (fillfactor = 60);
-- Jobs under way.
CREATE INDEX jobs_under_way ON jobs (package_id) WHERE NOT done;

-- migrate:down

DROP TABLE jobs, processes, campaigns;
