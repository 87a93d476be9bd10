-- migrate:up

CREATE TABLE things (
    thing_id text    PRIMARY KEY,
    total    integer NOT NULL,
    version  integer NOT NULL
);

-- One row for each message that had an effect, in the order of the effects.
CREATE TABLE journal (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id text   NOT NULL,
    note     text   NOT NULL
);

-- migrate:down

DROP TABLE journal, things;
