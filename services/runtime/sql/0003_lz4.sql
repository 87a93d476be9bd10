-- migrate:up

-- A body is written and deleted within milliseconds: lz4 compresses it in a fraction of pglz's time.
-- A server may be built without it.
DO $$
BEGIN
    ALTER TABLE outbox ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN NULL;
END
$$;

-- migrate:down

ALTER TABLE outbox ALTER COLUMN body SET COMPRESSION DEFAULT;
