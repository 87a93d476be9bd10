-- migrate:up

-- What can be made again from the services' snapshots is in the schema model: a rebuild fills a
-- second one of the same tables (see rebuild.py), and takes its place.
CREATE SCHEMA model;

-- A row of the model consists of registers.  Each is set by the event with the highest version
-- that has something to say of it, so that order and repetition of events change nothing:
-- state (version), status of an order (status_version), and cause, which names the event that set
-- the present status: its id, what caused it, when, who.
-- Ids sort by their bytes: keysets compare them, and prefixes are found by them.
CREATE TABLE model.packages (
    package_id         text        COLLATE "C" PRIMARY KEY,
    label              text        NOT NULL,
    distribution_level text        NOT NULL,
    campaign_id        text        NOT NULL,
    folder             text        COLLATE "C",
    assigned_to        text,
    status             text        COLLATE "C" NOT NULL,
    edition            integer     NOT NULL,
    version            integer     NOT NULL,
    starts_at          timestamptz NOT NULL,
    ends_at            timestamptz NOT NULL,
    created_at         timestamptz NOT NULL,
    changed_at         timestamptz NOT NULL,
    changed_by         text,
    late_from          timestamptz,
    closed_from        timestamptz,
    audience_digest    text,
    -- The whole state, without the audience.
    state              jsonb       NOT NULL,
    cause_version      integer     NOT NULL DEFAULT 0,
    cause              text,
    caused_by          text,
    caused_at          timestamptz,
    caused_actor       text,
    search             text        GENERATED ALWAYS AS (lower(package_id || ' ' || label)) STORED
) WITH (fillfactor = 70);
CREATE INDEX packages_created ON model.packages (status, created_at, package_id);
CREATE INDEX packages_changed ON model.packages (status, changed_at, package_id);
CREATE INDEX packages_label ON model.packages (status, lower(label) COLLATE "C", package_id);
CREATE INDEX packages_folder ON model.packages (folder, created_at, package_id);
CREATE INDEX packages_folder_changed ON model.packages (folder, changed_at, package_id);
CREATE INDEX packages_folder_label
    ON model.packages (folder, lower(label) COLLATE "C", package_id);
CREATE INDEX packages_level
    ON model.packages (distribution_level, status, created_at, package_id);
CREATE INDEX packages_assigned ON model.packages (assigned_to, status, created_at, package_id)
    WHERE assigned_to IS NOT NULL;
CREATE INDEX packages_campaign ON model.packages (campaign_id, created_at, package_id);
CREATE INDEX packages_late ON model.packages (late_from, package_id) WHERE late_from IS NOT NULL;
CREATE INDEX packages_closed ON model.packages (closed_from, package_id)
    WHERE closed_from IS NOT NULL;

-- The entities that a package is limited to, where it is.
CREATE TABLE model.audiences (
    package_id text COLLATE "C" NOT NULL,
    entity_id  text COLLATE "C" NOT NULL,
    PRIMARY KEY (package_id, entity_id)
);
CREATE INDEX audiences_entity ON model.audiences (entity_id, package_id);

-- What will happen by itself.
CREATE TABLE model.due (
    package_id text        COLLATE "C" NOT NULL,
    kind       text        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (package_id, kind)
);
CREATE INDEX due_at ON model.due (at, package_id, kind);

-- placed_at of an order of which only packed events are known is the earliest of their times.
CREATE TABLE model.orders (
    order_id          text        COLLATE "C" PRIMARY KEY,
    package_id        text        COLLATE "C" NOT NULL,
    edition           integer     NOT NULL,
    entity_id         text        COLLATE "C" NOT NULL,
    status            text        COLLATE "C" NOT NULL,
    status_version    integer     NOT NULL,
    changed_at        timestamptz NOT NULL,
    changed_by        text,
    late_from         timestamptz,
    placed_at         timestamptz NOT NULL,
    approved_at       timestamptz,
    available_at      timestamptz,
    canceled_at       timestamptz,
    terms_version     integer     NOT NULL,
    label             text,
    comment           text,
    parameters        jsonb,
    documents         jsonb,
    campaign_id       text,
    approval_deadline timestamptz,
    cause_version     integer     NOT NULL DEFAULT 0,
    cause             text,
    caused_by         text,
    caused_at         timestamptz,
    caused_actor      text
) WITH (fillfactor = 70);
CREATE INDEX orders_placed ON model.orders (status, placed_at, order_id);
CREATE INDEX orders_changed ON model.orders (status, changed_at, order_id);
CREATE INDEX orders_entity ON model.orders (entity_id, status, placed_at, order_id)
    INCLUDE (package_id, edition);
CREATE INDEX orders_package ON model.orders (package_id, edition, status, placed_at, order_id);
CREATE INDEX orders_label ON model.orders (status, lower(label) COLLATE "C", order_id);
CREATE INDEX orders_late ON model.orders (late_from, order_id) WHERE late_from IS NOT NULL;

CREATE TABLE model.campaigns (
    campaign_id        text        COLLATE "C" PRIMARY KEY,
    label              text        NOT NULL,
    kind               text        COLLATE "C" NOT NULL,
    distribution_level text        NOT NULL,
    program            text,
    status             text        COLLATE "C" NOT NULL,
    version            integer     NOT NULL,
    package_id         text        COLLATE "C",
    order_id           text        COLLATE "C",
    parent_id          text        COLLATE "C",
    changed_at         timestamptz NOT NULL,
    changed_by         text,
    state              jsonb       NOT NULL,
    -- The cancel that canceled it, as the latest campaign.canceled says.
    canceled_version   integer     NOT NULL DEFAULT 0,
    canceled_by        jsonb,
    -- No event tells that stopped processes wait again: those that stopped before this do.
    reinitialized_at   timestamptz,
    cause_version      integer     NOT NULL DEFAULT 0,
    cause              text,
    caused_by          text,
    caused_at          timestamptz,
    caused_actor       text,
    search             text        GENERATED ALWAYS AS (lower(campaign_id || ' ' || label)) STORED
) WITH (fillfactor = 70);
CREATE INDEX campaigns_changed ON model.campaigns (status, changed_at, campaign_id);
CREATE INDEX campaigns_kind ON model.campaigns (kind, status, changed_at, campaign_id);
CREATE INDEX campaigns_program ON model.campaigns (program, changed_at, campaign_id)
    WHERE program IS NOT NULL;
CREATE INDEX campaigns_package ON model.campaigns (package_id, campaign_id);
CREATE INDEX campaigns_parent ON model.campaigns (parent_id, campaign_id);
CREATE INDEX campaigns_order ON model.campaigns (order_id, campaign_id)
    WHERE order_id IS NOT NULL;

CREATE TABLE model.processes (
    campaign_id   text        COLLATE "C" NOT NULL,
    process_id    text        COLLATE "C" NOT NULL,
    kind          text        NOT NULL,
    label         text        NOT NULL,
    channel       text,
    status        text        NOT NULL,
    version       integer     NOT NULL,
    detail        text,
    changed_at    timestamptz NOT NULL,
    cause_version integer     NOT NULL DEFAULT 0,
    cause         text,
    caused_by     text,
    caused_at     timestamptz,
    caused_actor  text,
    PRIMARY KEY (campaign_id, process_id)
) WITH (fillfactor = 70);

CREATE TABLE model.entities (
    entity_id  text        COLLATE "C" PRIMARY KEY,
    label      text        NOT NULL,
    active     boolean     NOT NULL,
    mailbox    text        NOT NULL,
    channels   text[]      NOT NULL,
    version    integer     NOT NULL,
    changed_at timestamptz NOT NULL,
    state      jsonb       NOT NULL,
    cause_version integer  NOT NULL DEFAULT 0,
    cause      text,
    caused_by  text,
    caused_at  timestamptz,
    caused_actor text,
    search     text        GENERATED ALWAYS AS (lower(entity_id || ' ' || label)) STORED
) WITH (fillfactor = 70);
CREATE INDEX entities_label ON model.entities (active, lower(label) COLLATE "C", entity_id);
CREATE INDEX entities_changed ON model.entities (active, changed_at, entity_id);

-- A notification has no version: attempts and status only rise, see domain.py.
CREATE TABLE model.notifications (
    notification_id text        COLLATE "C" PRIMARY KEY,
    kind            text        COLLATE "C" NOT NULL,
    recipient_type  text        NOT NULL,
    recipient_id    text        COLLATE "C" NOT NULL,
    channel         text        NOT NULL,
    package_id      text        COLLATE "C",
    edition         integer,
    order_id        text        COLLATE "C",
    status          text        COLLATE "C" NOT NULL,
    attempts        integer     NOT NULL,
    error           text,
    at              timestamptz NOT NULL,
    cause           text,
    caused_by       text
) WITH (fillfactor = 70);
CREATE INDEX notifications_at ON model.notifications (status, at, notification_id);
CREATE INDEX notifications_kind ON model.notifications (kind, status, at, notification_id);
CREATE INDEX notifications_package ON model.notifications (package_id, status, at, notification_id);
CREATE INDEX notifications_recipient
    ON model.notifications (recipient_id, status, at, notification_id);

-- How many rows there are: by list, scope and status.  Changes go to the shard of their session,
-- so that workers do not wait for each other; a read sums the shards.
-- The scope is '', or folder:<folder>, entity:<id>, package:<id>:<edition>.
CREATE TABLE model.counts (
    list   text     COLLATE "C" NOT NULL,
    scope  text     COLLATE "C" NOT NULL,
    status text     COLLATE "C" NOT NULL,
    shard  smallint NOT NULL,
    n      bigint   NOT NULL,
    PRIMARY KEY (list, scope, status, shard)
) WITH (fillfactor = 50);

-- Everything that happened, each event once.  What one thing caused for many is one row: of those
-- event_id is <causationid>/<type>, and count how many there were.
-- state is what the event left behind, for things of which changes are shown field by field.
CREATE TABLE history (
    event_id      text        COLLATE "C" NOT NULL,
    source        text        COLLATE "C" NOT NULL,
    at            timestamptz NOT NULL,
    type          text        NOT NULL,
    kind          text        COLLATE "C" NOT NULL,
    subject       text        COLLATE "C" NOT NULL,
    version       integer,
    package_id    text        COLLATE "C",
    edition       integer,
    actor         text,
    comment       text,
    causationid   text        COLLATE "C",
    correlationid text        COLLATE "C",
    status        text,
    count         integer     NOT NULL DEFAULT 1,
    state         text,
    PRIMARY KEY (event_id, source)
);
CREATE INDEX history_subject ON history (kind, subject, at, event_id);
CREATE INDEX history_package ON history (package_id, at, event_id)
    WHERE package_id IS NOT NULL AND kind <> 'order';
CREATE INDEX history_cause ON history (causationid) WHERE causationid IS NOT NULL;

-- The ledger of a cancel: one row for each edition that was canceled.
CREATE TABLE cancellations (
    package_id             text        COLLATE "C" NOT NULL,
    edition                integer     NOT NULL,
    canceled_at            timestamptz,
    canceled_by            text,
    comment                text,
    cause                  text,
    orders_done            integer,
    orders_expected        integer,
    orders_report          jsonb,
    campaigns_done         integer,
    campaigns_expected     integer,
    campaigns_report       jsonb,
    notifications_done     integer,
    notifications_expected integer,
    notifications_report   jsonb,
    stalled_at             timestamptz,
    waiting_for            text[],
    completed_at           timestamptz,
    seconds                double precision,
    changed_at             timestamptz NOT NULL,
    PRIMARY KEY (package_id, edition)
) WITH (fillfactor = 50);
CREATE INDEX cancellations_running ON cancellations (canceled_at) WHERE completed_at IS NULL;
CREATE INDEX cancellations_at ON cancellations (canceled_at, package_id, edition);

-- What people and programs asked for over HTTP, and what other senders asked for in vain.
-- state: planned (until due_at), sending, sent, decided, withdrawn.
CREATE TABLE commands (
    command_id   text        COLLATE "C" PRIMARY KEY,
    type         text        NOT NULL,
    subject      text        COLLATE "C" NOT NULL,
    key          text,
    data         jsonb,
    source       text,
    actor        text,
    sender       text        COLLATE "C",
    correlationid text,
    batch_id     text        COLLATE "C",
    state        text        COLLATE "C" NOT NULL,
    created_at   timestamptz NOT NULL,
    due_at       timestamptz,
    taken_until  timestamptz,
    sent_at      timestamptz,
    decided_at   timestamptz,
    outcome      text        COLLATE "C",
    code         text,
    message      text,
    version      integer,
    errors       jsonb,
    -- When the read model had the first of its events.
    visible_at   timestamptz
) WITH (fillfactor = 60);
CREATE INDEX commands_created ON commands (created_at, command_id);
CREATE INDEX commands_sender ON commands (sender, created_at, command_id);
CREATE INDEX commands_subject ON commands (subject, created_at, command_id);
CREATE INDEX commands_batch ON commands (batch_id, command_id) WHERE batch_id IS NOT NULL;
CREATE INDEX commands_due ON commands (due_at, command_id) WHERE state IN ('planned', 'sending');

CREATE TABLE parked (
    service     text        COLLATE "C" NOT NULL,
    number      bigint      NOT NULL,
    reason      text        COLLATE "C",
    message_id  text,
    type        text        COLLATE "C",
    package_id  text        COLLATE "C",
    error       text,
    -- What errors of one cause have in common.
    error_kind  text        COLLATE "C",
    attempts    integer     NOT NULL DEFAULT 0,
    parked_at   timestamptz,
    body        text,
    body_bytes  integer,
    released_at timestamptz,
    how         text,
    comment     text,
    PRIMARY KEY (service, number)
) WITH (fillfactor = 70);
CREATE INDEX parked_groups ON parked (service, reason, type, error_kind, parked_at, number)
    WHERE released_at IS NULL;
CREATE INDEX parked_at ON parked (parked_at, service, number) WHERE released_at IS NULL;
CREATE INDEX parked_package ON parked (package_id) WHERE released_at IS NULL;

CREATE TABLE workers (
    service    text        COLLATE "C" NOT NULL,
    instance   text        COLLATE "C" NOT NULL,
    seen_at    timestamptz NOT NULL,
    state      jsonb       NOT NULL,
    -- Between the two it was on its way, as any event just then.
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, instance)
) WITH (fillfactor = 50);

CREATE INDEX workers_seen ON workers (seen_at);

-- Rebuilds of the model, at most one of which is under way.  The first state of all is asked for
-- once by a worker of a new database: on a running installation that fills the model.
CREATE TABLE rebuilds (
    request_id  text        COLLATE "C" PRIMARY KEY,
    state       text        NOT NULL,
    asked_by    text,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    remark      text
);
CREATE INDEX rebuilds_started ON rebuilds (started_at);
CREATE UNIQUE INDEX rebuilds_one ON rebuilds ((true))
    WHERE state IN ('asked', 'filling', 'copying', 'comparing');
CREATE INDEX rebuilds_first ON rebuilds (state) WHERE state = 'first';
INSERT INTO rebuilds (request_id, state, started_at) VALUES ('first', 'first', now());
-- What the snapshots of a rebuild have brought: by thing and shard; and what services say.
CREATE TABLE snapshots (
    request_id text     COLLATE "C" NOT NULL,
    service    text     COLLATE "C" NOT NULL,
    thing      text     COLLATE "C" NOT NULL,
    shard      smallint NOT NULL,
    n          bigint   NOT NULL,
    PRIMARY KEY (request_id, service, thing, shard)
) WITH (fillfactor = 50);
CREATE TABLE snapshots_completed (
    request_id text  COLLATE "C" NOT NULL,
    service    text  COLLATE "C" NOT NULL,
    counts     jsonb NOT NULL,
    PRIMARY KEY (request_id, service)
);

-- When counts were last compared with rows.
CREATE TABLE checks (name text COLLATE "C" PRIMARY KEY, checked_at timestamptz NOT NULL);
INSERT INTO checks (name, checked_at) VALUES ('counts', now());

-- Keys that all processes share, such as that of cursors.
CREATE TABLE keys (name text PRIMARY KEY, key bytea NOT NULL);

-- Text is found in the middle of words where the server has the extension, else row by row.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX packages_search ON model.packages USING gin (search gin_trgm_ops);
    CREATE INDEX campaigns_search ON model.campaigns USING gin (search gin_trgm_ops);
    CREATE INDEX entities_search ON model.entities USING gin (search gin_trgm_ops);
EXCEPTION
    WHEN feature_not_supported OR undefined_file OR insufficient_privilege OR undefined_object THEN
        NULL;
END
$$;

-- migrate:down

DROP TABLE keys, checks, snapshots_completed, snapshots, rebuilds, workers, parked, commands,
    cancellations, history;
DROP SCHEMA model CASCADE;
