"""Why a thing is as it is: the rows that tell it become a chain of sentences. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts import names
from services.tracking import texts
from services.tracking.queries.why import Asked, Event, Subject, Walk


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a chain: a command that somebody sent, or what a service did."""

    id: str
    role: str
    service: str | None
    type: str | None
    subject: str | None
    package_id: str | None
    edition: int | None
    at: datetime | None
    actor: str | None
    comment: str | None
    count: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: one sentence, the chain with its root first, and what else is to be known."""

    kind: str
    id: str
    status: str
    sentence: str
    chain: list[Hop]
    remark: str | None


def explain(subject: Subject, walk: Walk, now: datetime) -> Why:
    """Why a thing is as it is."""
    events = list(reversed(walk.events))
    chain = [_event_hop(event) for event in events]
    root = events[0] if events else None
    if walk.asked is not None:
        chain.insert(0, _asked_hop(walk.asked, root))
    return Why(
        subject.kind,
        subject.id,
        subject.status,
        _sentence(subject, walk, root, now),
        chain,
        _remark(walk),
    )


def explain_command(asked: Asked, event: Event | None, now: datetime) -> Why:
    """What became of a command."""
    status = asked.outcome or asked.state or "accepted"
    type_, subject = (
        asked.type or (event and event.type),
        asked.subject or (event and event.subject),
    )
    given = {
        "command_id": asked.command_id,
        "type": names.short_type(type_ or ""),
        "subject": subject,
        "message": asked.message,
    }
    known = asked.type is not None and status in texts.OUTCOMES
    state = (texts.OUTCOMES[status] if known else texts.SOME_COMMAND).format_map(given)
    deed = (texts.COMMANDED if known else texts.SENT).format_map(
        {**given, "actor": asked.actor or texts.SOMEBODY, "time": _time(asked.at, now)}
    )
    if known and status in ("accepted", "sent", "planned"):
        sentence = _because(state, deed, asked.comment)
    else:
        sentence = state
    chain = [_asked_hop(asked, event), *([_event_hop(event)] if event else [])]
    return Why("command", asked.command_id, status, sentence, chain, None)


def _sentence(subject: Subject, walk: Walk, root: Event | None, now: datetime) -> str:
    state = _state(subject)
    if root is not None and (walk.asked is not None or root.actor or not walk.gap):
        return _because(state, _deed(subject, root, walk, now), _comment(walk, root))
    if walk.asked is not None:
        return _because(state, _commanded(walk.asked, now), walk.asked.comment)
    if subject.caused_at is None:
        return state
    return texts.SINCE.format(state=state, time=_time(subject.caused_at, now))


def _state(subject: Subject) -> str:
    text = texts.STATES.get(f"{subject.kind}.{subject.status}", texts.STATE)
    return text.format(
        id=_name(subject),
        status=subject.status,
        owner=subject.owner,
        notice=subject.notice,
        detail=subject.detail or "-",
    )


def _name(subject: Subject) -> str:
    return subject.id.replace("/", " ") if subject.kind == "parked" else subject.id


def _deed(subject: Subject, root: Event, walk: Walk, now: datetime) -> str:
    """What was done at the root, and by whom."""
    kind = names.short_type(root.type)
    actor = root.actor or (walk.asked.actor if walk.asked else None)
    given: Mapping[str, Any] = {
        "actor": actor or texts.SOMEBODY,
        "subject": root.subject,
        "package_id": root.package_id,
        "type": kind,
        "time": _time(root.at, now),
    }
    if walk.asked is None and kind in texts.TIMED:
        return texts.TIMED[kind].format_map(given)
    if root.subject == subject.id and root.kind == subject.kind:
        special = texts.OWN_DEEDS.get(f"{kind}.{subject.status}")
        if text := special or texts.OWN_DEEDS.get(kind):
            return text.format_map(given)
    return texts.DEEDS.get(kind, texts.DEED).format_map(given)


def _commanded(asked: Asked, now: datetime) -> str:
    if asked.at is None:
        return texts.COMMAND_ID.format(command_id=asked.command_id)
    text = texts.COMMANDED if asked.type else texts.SENT
    return text.format(
        command_id=asked.command_id,
        actor=asked.actor or texts.SOMEBODY,
        type=names.short_type(asked.type or ""),
        subject=asked.subject,
        time=_time(asked.at, now),
    )


def _comment(walk: Walk, root: Event) -> str | None:
    return root.comment or (walk.asked.comment if walk.asked else None)


def _because(state: str, deed: str, comment: str | None) -> str:
    if comment:
        return texts.BECAUSE_AS_SAID.format(state=state, deed=deed, comment=comment)
    return texts.BECAUSE.format(state=state, deed=deed)


def _event_hop(event: Event) -> Hop:
    service, kind = event.source.rpartition("/")[2], names.short_type(event.type)
    many = texts.PARTS_OF_MANY.get(kind) if "/" in event.event_id else None
    text = texts.PARTS.get(kind, texts.PART)
    if many is not None:
        text = many[0] if event.count == 1 else many[1]
    sentence = text.format(service=service, subject=event.subject, n=f"{event.count:,}", type=kind)
    return Hop(
        id=event.event_id,
        role="event",
        service=service,
        type=event.type,
        subject=event.subject,
        package_id=event.package_id,
        edition=event.edition,
        at=event.at,
        actor=event.actor,
        comment=event.comment,
        count=event.count,
        sentence=sentence,
    )


def _asked_hop(asked: Asked, first: Event | None) -> Hop:
    """The command at the root; of one that tracking was not told of, its first event says more."""
    actor = asked.actor or (first.actor if first else None)
    text = texts.ASKED if asked.type else texts.ASKED_ID
    sentence = text.format(
        actor=actor or texts.SOMEBODY,
        type=names.short_type(asked.type or ""),
        subject=asked.subject,
        command_id=asked.command_id,
    )
    return Hop(
        id=asked.command_id,
        role="command",
        service=None,
        type=asked.type,
        subject=asked.subject,
        package_id=None,
        edition=None,
        at=asked.at,
        actor=actor,
        comment=asked.comment,
        count=1,
        sentence=sentence,
    )


def _remark(walk: Walk) -> str | None:
    if walk.is_cut:
        return texts.REMARKS["cut"]
    if walk.gap:
        return texts.REMARKS["gap" if walk.asked else "older"]
    if walk.asked is None:
        return texts.REMARKS["by_itself" if walk.events else "older"]
    return None


def _time(at: datetime | None, now: datetime) -> str:
    """A moment as it is said: without its day where that is today."""
    if at is None:
        return "?"
    at = at.astimezone(UTC)
    text = texts.TIME if at.date() == now.astimezone(UTC).date() else texts.DAY_AND_TIME
    return text.format(at=at, month=texts.MONTHS[at.month - 1])
