-- migrate:up

CREATE TABLE entities (
    entity_id          text        PRIMARY KEY,
    label              text        NOT NULL,
    email              text,
    language           text,
    channels           text[]      NOT NULL,
    mailbox            text        NOT NULL,
    webhook_url        text,
    notify             jsonb,
    order_reviewers    jsonb,
    campaign_reviewers jsonb,
    active             boolean     NOT NULL,
    version            integer     NOT NULL,
    changed_at         timestamptz NOT NULL
) WITH (fillfactor = 80);

-- migrate:down

DROP TABLE entities;
