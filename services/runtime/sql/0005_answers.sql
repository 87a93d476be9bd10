-- migrate:up

-- What a message was about, and a digest of what it said: the same source and id with other
-- content is another message. A row written before has neither, and is compared with nothing.
ALTER TABLE inbox
    ADD COLUMN subject text,
    ADD COLUMN digest  bytea;

-- The same of what waits; and of what is parked, how often it was, and what an operator asked for.
ALTER TABLE kept
    ADD COLUMN subject  text,
    ADD COLUMN content  bytea,
    ADD COLUMN attempts integer NOT NULL DEFAULT 1,
    ADD COLUMN replaced boolean NOT NULL DEFAULT false,
    ADD COLUMN comment  text;

-- A command that is sent again is answered where its sender asked for it.
ALTER TABLE outbox ADD COLUMN reply_to text;

-- migrate:down

ALTER TABLE outbox DROP COLUMN reply_to;
ALTER TABLE kept
    DROP COLUMN subject,
    DROP COLUMN content,
    DROP COLUMN attempts,
    DROP COLUMN replaced,
    DROP COLUMN comment;
ALTER TABLE inbox DROP COLUMN subject, DROP COLUMN digest;
