-- migrate:up

-- One row for each message that was handled, written in the transaction of its effect.
CREATE TABLE inbox (
    source      text        NOT NULL,
    id          text        NOT NULL,
    type        text        NOT NULL,
    received_at timestamptz NOT NULL,
    outcome     text        NOT NULL,
    code        text,
    message     text,
    version     integer,
    errors      jsonb,
    PRIMARY KEY (source, id)
);
-- The cleaner walks by age.
CREATE INDEX inbox_received ON inbox USING brin (received_at);

-- One row for each AMQP message that is committed but not yet confirmed by the broker.
CREATE TABLE outbox (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exchange       text        NOT NULL,
    routing_key    text        NOT NULL,
    type           text        NOT NULL,
    message_id     text        NOT NULL,
    correlation_id text        NOT NULL,
    partitionkey   text,
    content_type   text        NOT NULL,
    mandatory      boolean     NOT NULL,
    body           bytea       NOT NULL,
    taken_until    timestamptz NOT NULL,
    unroutable     boolean     NOT NULL DEFAULT false
) WITH (fillfactor = 70);

-- What this service has said, in runs: ids are <run>-0 to <run>-<count - 1>. The proof reads it.
CREATE TABLE emitted (
    run     text        NOT NULL,
    type    text        NOT NULL,
    count   integer     NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX emitted_at ON emitted USING brin (at);

-- Commands that name something unknown; decided again in order of arrival.
CREATE TABLE waiting (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exchange    text        NOT NULL,
    routing_key text        NOT NULL,
    body        bytea       NOT NULL,
    reply_to    text,
    correlation_id text,
    message_id  text,
    received_at timestamptz NOT NULL
);

-- What could not be handled: kept until somebody retries or discards it.
CREATE TABLE parked (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      text        NOT NULL UNIQUE,
    reason      text        NOT NULL,
    error       text        NOT NULL,
    traceback   text,
    source      text,
    id          text,
    type        text,
    exchange    text        NOT NULL,
    routing_key text        NOT NULL,
    reply_to    text,
    correlation_id text,
    message_id  text,
    headers     jsonb       NOT NULL,
    body        bytea       NOT NULL,
    parked_at   timestamptz NOT NULL,
    retry_at    timestamptz
);
CREATE INDEX parked_message ON parked (source, id);
CREATE INDEX parked_retry ON parked (retry_at) WHERE retry_at IS NOT NULL;

-- How often a message that keeps coming back has been begun; it may be what kills the worker.
CREATE TABLE attempts (
    digest text        NOT NULL PRIMARY KEY,
    count  integer     NOT NULL,
    last   timestamptz NOT NULL
);

-- migrate:down

DROP TABLE attempts, parked, waiting, emitted, outbox, inbox;
