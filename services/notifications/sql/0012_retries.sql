-- migrate:up

-- The attempts before an operator asked to try it again: its tries and pauses are counted from there.
ALTER TABLE notifications ADD COLUMN attempts_before smallint NOT NULL DEFAULT 0;
-- What has failed, package by package.
CREATE INDEX notifications_failed
    ON notifications (package_id, happening_id, recipient_id, recipient_type, channel)
    WHERE status = 'failed';

-- migrate:down

DROP INDEX notifications_failed;
ALTER TABLE notifications DROP COLUMN attempts_before;
