-- migrate:up

-- The latest moment that a worker has seen on the clock of this server: see clock.py.
CREATE TABLE clock (seen timestamptz NOT NULL) WITH (fillfactor = 50);
INSERT INTO clock (seen) VALUES (now());

-- migrate:down

DROP TABLE clock;
