"""What is moved back where the clock of the database was set back: all that waits for a moment."""

ROUNDS = """
UPDATE rounds SET taken_until = taken_until - $1::interval, worked_at = worked_at - $1::interval
"""
MAILBOXES = (
    "UPDATE mailboxes SET next_try_at = next_try_at - $1::interval WHERE declared_at IS NULL"
)
NOTIFICATIONS = """
UPDATE notifications
SET added_at = added_at - $1::interval, next_try_at = next_try_at - $1::interval
WHERE status = 'pending' AND (next_try_at IS NOT NULL OR added_at > now())
"""
# Who is active from now on, and who was active when a fan-out began: all bounds keep their order.
ENTITIES = """
UPDATE entities SET heard_at = heard_at - $1::interval, active_during = coalesce(
    (SELECT range_agg(tstzrange(lower(r) - $1::interval, upper(r) - $1::interval))
     FROM unnest(active_during) AS r), '{}')
"""
FAN_OUTS = """
UPDATE jobs SET arguments = jsonb_set(arguments, '{as_of}',
    to_jsonb((arguments ->> 'as_of')::timestamptz - $1::interval))
WHERE kind = 'fan_out' AND state = 'running'
"""
SET_BACK = (ROUNDS, MAILBOXES, NOTIFICATIONS, ENTITIES, FAN_OUTS)
