"""GET /api/stream: server-sent events that say what has changed."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from contracts.envelope import FieldError
from contracts.sentences import printable
from services.tracking.web import rights
from services.tracking.web.callers import Asks, Caller
from services.tracking.web.examples import problems
from services.tracking.web.hub import RESYNC, Hint, Listener
from services.tracking.web.problems import invalid
from services.tracking.web.rights import Reach
from services.tracking.web.state import Here, State

router = APIRouter(prefix="/api", tags=["stream"])

MOST_TOPICS = 100
HEARTBEAT = 15.0
"""Seconds without a word, after which a comment shows that the stream is alive."""
RETRY = b"retry: 2000\n\n"
ALIVE = b": alive\n\n"

LISTS = frozenset(
    {
        *("packages", "orders", "campaigns", "entities", "notifications"),
        *("commands", "parked", "waves", "workers", "rebuild"),
    }
)
WAVES = {"wave": "parked", "waves": "parked"}
"""Who may read of the one may read of the other."""
KINDS = frozenset({"package", "order", "campaign", "entity", "command", "wave"})
_TOPIC = re.compile(rf"({'|'.join(sorted(KINDS))}):([^,\s\x00]{{1,128}})")

Topics = Annotated[
    str | None,
    Query(
        max_length=8_000,
        description="what to be told of, separated by commas: a list such as `orders`, or one "
        "thing such as `package:CAT86`; without it, everything",
        examples=["package:CAT86,orders"],
    ),
]
LastId = Annotated[str | None, Header(max_length=100, description="the id of the last event")]


@router.get(
    "/stream",
    summary="Be told what changes",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `hint` with the topics that changed; `resync`: read again",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 5f3a-17\nevent: hint\ndata: {"topics":["package:CAT86"]}\n\n',
                }
            },
        },
        **problems(401, 403, 422, 429),
    },
)
async def stream(
    here: Here, caller: Asks, topics: Topics = None, last_event_id: LastId = None
) -> StreamingResponse:
    """Hints that something has changed, as long as the connection lasts; they may be lost.

    Who comes back with Last-Event-ID gets what it missed, or `resync` where that is too much.
    """
    listener = here.hub.listen(_follows(caller, _topics(topics)))
    return StreamingResponse(
        _events(here, listener, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _topics(text: str | None) -> frozenset[str] | None:
    """The topics of a request; None is all."""
    found = [part.strip() for part in (text or "").split(",") if part.strip()]
    if not found:
        return None
    if len(found) > MOST_TOPICS:
        raise invalid(FieldError("topics", f"must be at most {MOST_TOPICS}, not {len(found)}"))
    errors = [
        FieldError(
            "topics",
            f"must be lists ({', '.join(sorted(LISTS))}) or things such as package:CAT86, "
            f"not '{printable(one)}'",
        )
        for one in found
        if one not in LISTS and not _TOPIC.fullmatch(one)
    ]
    if errors:
        raise invalid(*errors)
    return frozenset(found)


def _follows(caller: Caller, topics: frozenset[str] | None) -> Callable[[str], bool]:
    """What a caller is told of; raises Problem 403 where some of it is not for them.

    A local operator is told of its own entity, and no more: other topics name what is not theirs.
    """
    own = None if caller.scope is None else f"entity:{caller.scope}"
    kinds = frozenset(kind for kind in LISTS | KINDS if _may_read(caller, kind))

    def may_follow(topic: str) -> bool:
        return topic == own if own else topic.partition(":")[0] in kinds

    # Of what is somebody's own no ids are told to others: they have to know them.
    told = frozenset(kind for kind in kinds if _reach(caller, kind) is Reach.ALL)
    if topics is None and own is None:
        return lambda topic: topic in kinds or topic.partition(":")[0] in told
    if topics is None:
        return may_follow
    if refused := sorted(one for one in topics if not may_follow(one)):
        raise rights.forbidden(f"{caller.name} may not be told of {', '.join(refused)}")
    return topics.__contains__


def _reach(caller: Caller, kind: str) -> Reach:
    return rights.may_read(caller, WAVES.get(kind, kind))


def _may_read(caller: Caller, kind: str) -> bool:
    return rights.may_follow(caller, WAVES.get(kind, kind))


async def _events(here: State, listener: Listener, last_id: str | None) -> AsyncIterator[bytes]:
    try:
        yield RETRY
        if last_id is None:
            # The place in the ring, for who comes back before the first hint.
            yield f"id: {here.hub.last_id}\n\n".encode()
        elif (missed := here.hub.since(last_id)) is None:
            yield _resync(here)
        else:
            for id, topics in missed:
                if found := listener.matching(topics):
                    yield _hint((id, found))
        while not here.hub.closing:
            hints = await listener.wait(HEARTBEAT)
            if listener.missed:
                listener.missed = False
                yield _resync(here)
            elif hints:
                yield b"".join(map(_hint, hints))
            elif not here.hub.closing:
                yield ALIVE
    finally:
        here.hub.leave(listener)


def _resync(here: State) -> bytes:
    return f"id: {here.hub.last_id}\nevent: {RESYNC}\ndata: {{}}\n\n".encode()


def _hint(hint: Hint) -> bytes:
    id, topics = hint
    data = orjson.dumps({"topics": topics})
    return b"id: %b\nevent: hint\ndata: %b\n\n" % (id.encode(), data)
