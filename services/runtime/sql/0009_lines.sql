-- migrate:up

-- What is held back by a lock of somebody else waits in line: messages of one line, which is their
-- partition key, are decided in the order of their numbers, and whatever comes for it waits behind.
ALTER TABLE kept ADD COLUMN line text;
CREATE INDEX kept_line ON kept (line, number) WHERE line IS NOT NULL;

-- migrate:down

DROP INDEX kept_line;
ALTER TABLE kept DROP COLUMN line;
