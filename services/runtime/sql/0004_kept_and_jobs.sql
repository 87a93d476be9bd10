-- migrate:up

-- One table for what cannot be handled now: waiting commands, decided again in order of arrival,
-- and parked messages, kept until somebody retries or discards them.
ALTER TABLE parked RENAME TO kept;
ALTER TABLE kept RENAME COLUMN parked_at TO kept_at;
ALTER TABLE kept
    ADD COLUMN kind text NOT NULL DEFAULT 'parked',
    ALTER COLUMN digest DROP NOT NULL,
    ALTER COLUMN reason DROP NOT NULL,
    ALTER COLUMN error DROP NOT NULL,
    ALTER COLUMN headers SET DEFAULT '{}';
ALTER TABLE kept ALTER COLUMN kind DROP DEFAULT;
INSERT INTO kept (kind, exchange, routing_key, body, reply_to, correlation_id, message_id, kept_at)
SELECT 'waiting', exchange, routing_key, body, reply_to, correlation_id, message_id, received_at
FROM waiting ORDER BY number;
DROP TABLE waiting;
ALTER INDEX parked_message RENAME TO kept_message;
ALTER INDEX parked_retry RENAME TO kept_retry;
CREATE INDEX kept_waiting ON kept (number) WHERE kind = 'waiting';

-- Long work, done in pieces: see jobs.py. Jobs of one line are done in the order of their places;
-- the one with the lowest last_piece is worked on next.
CREATE SEQUENCE job_pieces;
CREATE TABLE jobs (
    line       text   NOT NULL,
    place      bigint NOT NULL,
    kind       text   NOT NULL,
    state      text   NOT NULL,
    cursor     jsonb,
    counts     jsonb  NOT NULL,
    arguments  jsonb  NOT NULL,
    cause      jsonb  NOT NULL,
    last_piece bigint NOT NULL DEFAULT nextval('job_pieces'),
    PRIMARY KEY (line, place, kind)
) WITH (fillfactor = 60);
CREATE INDEX jobs_next ON jobs (last_piece) WHERE state = 'running';
CREATE INDEX jobs_running ON jobs (line, place) WHERE state = 'running';

-- The sweep looks for rows that nobody holds.
CREATE INDEX outbox_taken ON outbox (taken_until);

-- migrate:down

DROP INDEX outbox_taken;
DROP TABLE jobs;
DROP SEQUENCE job_pieces;
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
INSERT INTO waiting (exchange, routing_key, body, reply_to, correlation_id, message_id, received_at)
SELECT exchange, routing_key, body, reply_to, correlation_id, message_id, kept_at
FROM kept WHERE kind = 'waiting' ORDER BY number;
DELETE FROM kept WHERE kind = 'waiting';
DROP INDEX kept_waiting;
ALTER INDEX kept_retry RENAME TO parked_retry;
ALTER INDEX kept_message RENAME TO parked_message;
ALTER TABLE kept DROP COLUMN kind,
    ALTER COLUMN digest SET NOT NULL,
    ALTER COLUMN reason SET NOT NULL,
    ALTER COLUMN error SET NOT NULL,
    ALTER COLUMN headers DROP DEFAULT;
ALTER TABLE kept RENAME COLUMN kept_at TO parked_at;
ALTER TABLE kept RENAME TO parked;
