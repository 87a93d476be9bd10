"""All the SQL of what notifications hears; that of cancels and of sending is in rooms of theirs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

import orjson

from contracts.directory import Channel
from contracts.notifications import NotificationKind, RecipientType
from contracts.packages import PackageEdition
from services.notifications.domain import Key, PackageCopy
from services.notifications.world import Entity, News, Seen
from services.runtime.service import Connection, Row, as_json

LOCK_PACKAGES = """
SELECT package_id, version, edition, label, distribution_level, campaign_id, starts_at, ends_at,
       available_at, registration_deadline, personalization_deadline, audience_digest
FROM packages WHERE package_id = ANY ($1::text[]) ORDER BY package_id FOR UPDATE
"""


async def lock_packages(conn: Connection, ids: Iterable[str]) -> dict[str, PackageCopy]:
    """Lock the copies of these packages: two workers about one of them take turns here."""
    wanted = list(ids)
    rows = await conn.fetch(LOCK_PACKAGES, wanted) if wanted else []
    return {row["package_id"]: PackageCopy.model_validate(dict(row)) for row in rows}


SAVE_PACKAGES = """
INSERT INTO packages AS p (
    package_id, version, edition, label, distribution_level, campaign_id, starts_at, ends_at,
    available_at, registration_deadline, personalization_deadline, audience_digest)
SELECT
    package_id, version, edition, label, distribution_level, campaign_id, starts_at, ends_at,
    available_at, registration_deadline, personalization_deadline, audience_digest
FROM json_populate_recordset(NULL::packages, $1::text::json) ORDER BY package_id
ON CONFLICT (package_id) DO UPDATE SET
    version = excluded.version, edition = excluded.edition, label = excluded.label,
    distribution_level = excluded.distribution_level, campaign_id = excluded.campaign_id,
    starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    available_at = excluded.available_at,
    registration_deadline = excluded.registration_deadline,
    personalization_deadline = excluded.personalization_deadline,
    audience_digest = excluded.audience_digest
WHERE excluded.version > p.version
"""


async def save_packages(conn: Connection, packages: Sequence[PackageCopy]) -> None:
    """Store copies in their last state."""
    if packages:
        await conn.execute(SAVE_PACKAGES, as_json(packages))


# active_during keeps what was: a job asks who was active when it was given.
SAVE_ENTITIES = """
INSERT INTO entities AS e (entity_id, version, label, mailbox, channels, heard_at, active_during)
SELECT entity_id, version, label, mailbox, channels, heard_at,
       CASE WHEN active THEN tstzmultirange(tstzrange(heard_at, NULL)) ELSE '{}' END
FROM json_to_recordset($1::text::json)
    AS m (entity_id text, version integer, label text, mailbox text, channels text[],
          heard_at timestamptz, active boolean)
ORDER BY entity_id
ON CONFLICT (entity_id) DO UPDATE SET
    version = excluded.version, label = excluded.label, mailbox = excluded.mailbox,
    channels = excluded.channels, heard_at = excluded.heard_at,
    active_during = CASE
        WHEN upper_inf(e.active_during) = upper_inf(excluded.active_during) THEN e.active_during
        WHEN upper_inf(excluded.active_during) THEN e.active_during + excluded.active_during
        ELSE e.active_during * tstzmultirange(tstzrange(NULL, excluded.heard_at)) END
WHERE excluded.version > e.version
"""
ADD_MAILBOXES = """
INSERT INTO mailboxes (name, next_try_at)
SELECT DISTINCT name, $2::timestamptz FROM unnest($1::text[]) AS m (name) ORDER BY name
ON CONFLICT DO NOTHING
"""


async def save_entities(conn: Connection, entities: Mapping[str, Entity], now: datetime) -> bool:
    """Store entities in their last state; says whether one of them reads a new mailbox."""
    if not entities:
        return False
    rows = [
        {
            "entity_id": entity.event.entity_id,
            "version": entity.event.version,
            "label": entity.event.label,
            "mailbox": entity.event.mailbox,
            "channels": entity.event.channels,
            "heard_at": entity.moment,
            "active": entity.event.active,
        }
        for entity in entities.values()
    ]
    await conn.execute(SAVE_ENTITIES, orjson.dumps(rows).decode())
    mailboxes = {
        entity.event.mailbox
        for entity in entities.values()
        if Channel.MAILBOX in entity.event.channels
    }
    return await conn.execute(ADD_MAILBOXES, sorted(mailboxes), now) != "INSERT 0 0"


# A cancel of which only orders were known is told as soon as the cancel itself is.
ADD_NEWS = """
INSERT INTO happenings AS h (kind, subject, edition, happening, package_id, order_id, version,
                             happened_at, notice, cause)
SELECT kind, subject, edition, happening, package_id, order_id, version, happened_at, notice, cause
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[],
            $8::timestamptz[], $9::text[], $10::jsonb[])
    WITH ORDINALITY AS m (kind, subject, edition, happening, package_id, order_id, version,
                          happened_at, notice, cause, n)
ORDER BY n
ON CONFLICT (subject, kind, edition, happening) DO UPDATE SET
    version = excluded.version, happened_at = excluded.happened_at, notice = excluded.notice,
    cause = excluded.cause
WHERE excluded.version > h.version
"""
FIND_NEWS = """
SELECT h.happening_id, h.kind, h.subject, h.edition, h.happening FROM happenings h
JOIN unnest($1::text[], $2::text[], $3::int[], $4::text[])
    AS m (kind, subject, edition, happening) USING (kind, subject, edition, happening)
"""


async def add_news(conn: Connection, news: Mapping[Key, News]) -> dict[Key, int]:
    """Store happenings in the order they happened; the number of each."""
    if not news:
        return {}
    happenings = [one.happening for one in news.values()]
    keys = [
        [key.kind for key in news],
        [key.subject for key in news],
        [key.edition for key in news],
        [key.happening for key in news],
    ]
    await conn.execute(
        ADD_NEWS,
        *keys,
        [happening.package_id for happening in happenings],
        [happening.order_id for happening in happenings],
        [happening.version for happening in happenings],
        [happening.happened_at for happening in happenings],
        [happening.notice for happening in happenings],
        [asdict(one.cause) for one in news.values()],
    )
    return {key_of(row): row["happening_id"] for row in await conn.fetch(FIND_NEWS, *keys)}


def key_of(row: Row) -> Key:
    """The key of a happening."""
    kind = NotificationKind(row["kind"])
    return Key(kind, row["subject"], row["edition"], row["happening"])


SUPERSEDE = """
UPDATE happenings h SET superseded = true
FROM unnest($1::text[], $2::int[]) AS m (package_id, edition)
WHERE h.kind = 'package_available' AND h.subject = m.package_id AND h.edition <= m.edition
  AND NOT h.superseded
"""


async def supersede(conn: Connection, editions: Mapping[str, int]) -> None:
    """Drop what was not told yet of these packages being available, up to an edition of each."""
    if editions:
        await conn.execute(SUPERSEDE, list(editions), list(editions.values()))


FIND_CANCELED = """
SELECT c.package_id, c.edition FROM cancels c
JOIN unnest($1::text[], $2::int[]) AS m (package_id, edition) USING (package_id, edition)
WHERE c.started_at IS NOT NULL
"""


async def find_canceled(conn: Connection, lives: Iterable[PackageEdition]) -> set[PackageEdition]:
    """Those of these editions whose cancel has been handled."""
    wanted = list(lives)
    if not wanted:
        return set()
    rows = await conn.fetch(FIND_CANCELED, [p for p, _ in wanted], [e for _, e in wanted])
    return {(row["package_id"], row["edition"]) for row in rows}


SEE_CANCELS = """
INSERT INTO cancels AS c (package_id, edition, started_at, foreseen, orders_seen, orders_canceled,
                          cause)
SELECT package_id, edition, started_at, foreseen, orders_seen, orders_canceled, cause
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::int[], $5::int[], $6::int[], $7::jsonb[])
    AS m (package_id, edition, started_at, foreseen, orders_seen, orders_canceled, cause)
ORDER BY package_id, edition
ON CONFLICT (package_id, edition) DO UPDATE SET
    started_at = coalesce(c.started_at, excluded.started_at),
    foreseen = greatest(c.foreseen, excluded.foreseen),
    orders_seen = c.orders_seen + excluded.orders_seen,
    orders_canceled = coalesce(c.orders_canceled, excluded.orders_canceled),
    cause = CASE WHEN c.started_at IS NULL THEN excluded.cause ELSE c.cause END
"""


async def see_cancels(conn: Connection, seen: Mapping[PackageEdition, Seen]) -> None:
    """Add what was seen of cancels; from here on this transaction holds them."""
    if not seen:
        return
    await conn.execute(
        SEE_CANCELS,
        [package_id for package_id, _ in seen],
        [edition for _, edition in seen],
        [one.started_at for one in seen.values()],
        [one.foreseen for one in seen.values()],
        [one.orders_seen for one in seen.values()],
        [one.orders_canceled for one in seen.values()],
        [asdict(one.cause) for one in seen.values()],
    )


VERSIONS = 1_000_000
"""More than a package ever has: a fan-out is put in its line by happening, then by version."""


def place_of(happening_id: int, version: int) -> int:
    """The place of the fan-out of a happening that an event of this version causes."""
    return happening_id * VERSIONS + version


def happening_of(place: int) -> int:
    """The happening that is fanned out at a place."""
    return place // VERSIONS


IS_SUPERSEDED = "SELECT superseded FROM happenings WHERE happening_id = $1"


async def is_superseded(conn: Connection, happening_id: int) -> bool:
    """Whether nobody is to hear of it any more."""
    return bool(await conn.fetchval(IS_SUPERSEDED, happening_id))


FIND_ACTIVE = """
SELECT entity_id FROM entities WHERE entity_id > $1 AND active_during @> $2::timestamptz
ORDER BY entity_id LIMIT $3
"""


async def find_active(conn: Connection, after: str, as_of: datetime, size: int) -> list[str]:
    """The next entities that were active at a moment, by id."""
    return [row["entity_id"] for row in await conn.fetch(FIND_ACTIVE, after, as_of, size)]


HURRY = """
UPDATE notifications SET next_try_at = $2
WHERE package_id = $1 AND status = 'pending' AND next_try_at > $2
"""


async def hurry(conn: Connection, package_id: str, now: datetime) -> None:
    """Let what waits about a package be looked at now, each recipient's in order."""
    await conn.execute(HURRY, package_id, now)


class Recipient(NamedTuple):
    """Who is told of which happening; label is None where the copy of entities knows it."""

    happening_id: int
    package_id: str
    type: RecipientType
    id: str
    label: str | None = None


# Whoever was told before is not told again: the row is there.  An entity nobody knows yet gets
# a row in the mailbox that it may have in a moment.
ADD_RECIPIENTS = """
WITH added AS (
    INSERT INTO notifications (happening_id, recipient_type, recipient_id, channel, package_id,
                               recipient_label, round, added_at)
    SELECT m.happening_id, m.type, m.id, c.channel, m.package_id, m.label, hashtext(m.id) & 15, $6
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
        AS m (happening_id, package_id, type, id, label)
    LEFT JOIN entities e ON e.entity_id = m.id AND m.type = 'entity'
    CROSS JOIN unnest(coalesce(e.channels, '{mailbox}')) AS c (channel)
    ORDER BY m.happening_id, m.id
    ON CONFLICT DO NOTHING
    RETURNING happening_id
), counted AS (
    SELECT h.subject AS package_id, h.edition, count(*) AS number
    FROM added JOIN happenings h USING (happening_id)
    WHERE h.kind = 'package_canceled' GROUP BY h.subject, h.edition
)
UPDATE cancels c SET expected = c.expected + n.number FROM counted n
WHERE c.package_id = n.package_id AND c.edition = n.edition
"""


async def add_recipients(conn: Connection, recipients: Sequence[Recipient], now: datetime) -> None:
    """Add a notification for each channel of each; the caller holds the cancel they belong to."""
    if not recipients:
        return
    await conn.execute(
        ADD_RECIPIENTS,
        [recipient.happening_id for recipient in recipients],
        [recipient.package_id for recipient in recipients],
        [recipient.type for recipient in recipients],
        [recipient.id for recipient in recipients],
        [recipient.label for recipient in recipients],
        now,
    )
