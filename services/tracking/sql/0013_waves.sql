-- migrate:up

-- The figures that somebody has seen who plans a cancel: see planned.py.
ALTER TABLE commands ADD COLUMN preview jsonb;

-- A fixed set of orders that one command is for: named by a dry run, or by who sends at once.
CREATE TABLE batches (
    batch_id   text        COLLATE "C" PRIMARY KEY,
    sender     text        COLLATE "C" NOT NULL,
    type       text        NOT NULL,
    data       jsonb       NOT NULL,
    orders     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz
);
CREATE INDEX batches_created ON batches (created_at);

-- Parked messages that are tried again some at a time.
-- state: running, done, stopped.  current are the numbers that are being tried, each with the
-- attempts it had before; they were asked for at asked_at.
CREATE TABLE waves (
    wave_id         text        COLLATE "C" PRIMARY KEY,
    service         text        COLLATE "C" NOT NULL,
    reason          text        COLLATE "C",
    type            text        COLLATE "C",
    error_kind      text        COLLATE "C",
    until           timestamptz NOT NULL,
    size            integer     NOT NULL,
    pause_seconds   double precision NOT NULL,
    stop_at_percent double precision NOT NULL,
    comment         text,
    sender          text        COLLATE "C" NOT NULL,
    state           text        COLLATE "C" NOT NULL,
    remark          text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    next_at         timestamptz NOT NULL,
    total           integer     NOT NULL,
    number          integer     NOT NULL DEFAULT 0,
    last_tried      bigint      NOT NULL DEFAULT 0,
    current         jsonb,
    asked_at        timestamptz,
    released        integer     NOT NULL DEFAULT 0,
    parked_again    integer     NOT NULL DEFAULT 0
);
CREATE INDEX waves_next ON waves (next_at, wave_id) WHERE state = 'running';
CREATE INDEX waves_created ON waves (created_at, wave_id);

-- migrate:down

DROP TABLE waves, batches;
ALTER TABLE commands DROP COLUMN preview;
