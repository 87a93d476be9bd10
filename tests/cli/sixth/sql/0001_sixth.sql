-- migrate:up

CREATE TABLE guests (
    guest_id text    PRIMARY KEY,
    count    integer NOT NULL
);

-- migrate:down

DROP TABLE guests;
