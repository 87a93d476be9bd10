-- migrate:up

-- The command by which an operator asked for what happens to a parked message: the cause of it.
ALTER TABLE kept ADD COLUMN asked jsonb;

-- migrate:down

ALTER TABLE kept DROP COLUMN asked;
