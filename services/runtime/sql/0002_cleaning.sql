-- migrate:up

-- The cleaner finds what is old by these. Pages that it has freed are used again, so old and new
-- rows come to lie side by side, and an index by ranges of pages would find all of them.
DROP INDEX inbox_received;
CREATE INDEX inbox_received ON inbox (received_at);
DROP INDEX emitted_at;
CREATE INDEX emitted_at ON emitted (at);

-- migrate:down

DROP INDEX emitted_at;
CREATE INDEX emitted_at ON emitted USING brin (at);
DROP INDEX inbox_received;
CREATE INDEX inbox_received ON inbox USING brin (received_at);
