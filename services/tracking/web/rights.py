"""Who may do what: the one table of all routes, and that of all commands.

A route that the table does not have is not served to anybody.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from contracts import names
from services.tracking.web import callers, problems, reviewing
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller, Role


class Reach(StrEnum):
    """How far a right goes."""

    NONE = "-"
    OWN = "own"
    """What belongs to the entity of a local operator, what names a reviewer, what one made."""
    RULE = "rule"
    """What the table of commands lets the caller send."""
    ALL = "all"


COLUMNS = (Role.CENTRAL, Role.LOCAL, Role.REVIEWER, Role.OPERATIONS, Role.VIEWER)

ROUTES = """
                                                 central local reviewer operations viewer
GET    /api/packages                             all     own   all      all        all
GET    /api/packages/{}                          all     own   all      all        all
GET    /api/packages/{}/orders                   all     own   own      all        all
GET    /api/packages/{}/audience                 all     own   all      all        all
GET    /api/packages/{}/timeline                 all     own   all      all        all
GET    /api/packages/{}/cancel-preview           all     -     -        all        all
GET    /api/packages/{}/cancellation             all     -     -        all        all

GET    /api/orders                               all     own   own      all        all
GET    /api/orders/{}                            all     own   own      all        all
GET    /api/orders/{}/timeline                   all     own   own      all        all

GET    /api/campaigns                            all     own   -        all        all
GET    /api/campaigns/{}                         all     own   -        all        all
GET    /api/campaigns/{}/timeline                all     own   -        all        all
GET    /api/entities                             all     own   -        all        all
GET    /api/entities/{}                          all     own   -        all        all
GET    /api/entities/{}/timeline                 all     own   -        all        all
GET    /api/notifications                        all     own   -        all        all
GET    /api/notifications/{}                     all     own   -        all        all
POST   /api/notifications/retry                  all     -     -        all        -
GET    /api/schedule                             all     own   -        all        all

GET    /api/why/{}/{}                            all     own   own      all        all
GET    /api/offers                               -       own   -        -          -
GET    /api/offers/{}                            -       own   -        -          -

POST   /api/commands                             rule    rule  rule     rule       -
POST   /api/commands/batch                       rule    rule  rule     rule       -
POST   /api/commands/check                       rule    rule  rule     rule       -
GET    /api/commands                             all     own   own      all        -
GET    /api/commands/{}                          all     own   own      all        -
DELETE /api/commands/{}                          all     own   own      all        -

GET    /api/parked                               -       -     -        all        -
GET    /api/parked/groups                        -       -     -        all        -
GET    /api/parked/{}/{}                         -       -     -        all        -
POST   /api/parked/retry                         -       -     -        all        -
POST   /api/parked/replace                       -       -     -        all        -
POST   /api/parked/discard                       -       -     -        all        -
GET    /api/parked/waves                         -       -     -        all        -
POST   /api/parked/waves                         -       -     -        all        -
GET    /api/parked/waves/{}                      -       -     -        all        -
DELETE /api/parked/waves/{}                      -       -     -        all        -

GET    /api/workers                              -       -     -        all        all
GET    /api/lanes                                -       -     -        all        all
GET    /api/proofs                               -       -     -        all        all
POST   /api/proofs                               -       -     -        all        -
GET    /api/rebuild                              -       -     -        all        all
POST   /api/rebuild                              -       -     -        all        -

GET    /api/views                                own     own   own      own        own
GET    /api/views/{}                             own     own   own      own        own
PUT    /api/views/{}                             own     own   own      own        own
DELETE /api/views/{}                             own     own   own      own        own
GET    /api/me                                   own     own   own      own        own
GET    /api/stream                               all     own   own      all        all
"""

EVERYBODY = """
GET    /api/openapi.json
POST   /sign-in
GET    /sign-in/oidc
GET    /sign-in/oidc/callback
POST   /sign-out
"""
"""What nobody has to be known for."""

STREAMS = frozenset({("GET", "/api/stream")})
"""What holds a connection: counted against the limit of streams."""

# own: a local operator, for its own entity; a reviewer, what names them as one.
COMMANDS = """
                       central local reviewer operations viewer
package.approve        all     -     own      -          -
package.reject         all     -     own      -          -
package.*              all     -     -        -          -
order.approve          all     -     own      -          -
order.reject           all     -     own      -          -
order.*                all     own   -        -          -
campaign.*             all     -     -        -          -
process.*              all     -     -        -          -
entity.*               all     -     -        -          -
notification.retry     all     -     -        all        -
parked.*               -       -     -        all        -
snapshot.request       -       -     -        all        -
"""

KINDS: Mapping[str, str] = {
    "package": "packages",
    "order": "orders",
    "campaign": "campaigns",
    "process": "campaigns",
    "entity": "entities",
    "notification": "notifications",
    "command": "commands",
}
"""Kinds of things, and the list that they are in."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use something."""

    name: str
    reach: Mapping[Role, Reach]

    def of(self, caller: Caller) -> Reach:
        """How far the right of a caller goes."""
        return self.reach[caller.role]

    @property
    def roles(self) -> list[str]:
        """The roles that have any right."""
        return [role.value for role, reach in self.reach.items() if reach is not Reach.NONE]


def _rules(table: str) -> dict[str, Rule]:
    lines = [line.split() for line in table.splitlines() if line.strip()]
    found = {}
    for *name, central, local, reviewer, operations, viewer in lines[1:]:
        words = (central, local, reviewer, operations, viewer)
        reach = dict(zip(COLUMNS, map(Reach, words), strict=True))
        found[" ".join(name)] = Rule(" ".join(name), reach)
    return found


_OF_ROUTES = _rules(ROUTES)
_OF_COMMANDS = _rules(COMMANDS)
_OF_EVERYBODY = {" ".join(line.split()) for line in EVERYBODY.splitlines() if line.strip()}


def shape(path: str) -> str:
    """A path without the names of its parameters, as the table writes it."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def is_for_everybody(method: str, path: str) -> bool:
    """Whether a route asks nobody who they are."""
    return f"{method} {shape(path)}" in _OF_EVERYBODY


def rule_of(method: str, path: str) -> Rule | None:
    """Who may use a route; None where the table does not have it."""
    return _OF_ROUTES.get(f"{method} {shape(path)}")


def rule_of_command(type_: str) -> Rule | None:
    """Who may send a command, by its type in short or in full."""
    short = names.short_type(type_)
    return _OF_COMMANDS.get(short) or _OF_COMMANDS.get(f"{short.partition('.')[0]}.*")


def may_send(
    caller: Caller,
    type_: str,
    *,
    entity: str | None = None,
    reviewers: Collection[str] = (),
) -> bool:
    """Whether a caller may send a command.

    entity is the one of the order that it is about, reviewers those whom its package, or the
    entity of its order, names.
    """
    rule = rule_of_command(type_)
    match rule.of(caller) if rule is not None else Reach.NONE:
        case Reach.ALL:
            return True
        case Reach.OWN if caller.role is Role.LOCAL:
            return entity is not None and entity == caller.entity
        case Reach.OWN:
            return caller.name in reviewers
        case _:
            return False


def check_send(
    caller: Caller,
    type_: str,
    *,
    entity: str | None = None,
    reviewers: Collection[str] = (),
) -> None:
    """Let a caller send only what they may; raises Problem 403."""
    if may_send(caller, type_, entity=entity, reviewers=reviewers):
        return
    rule, short = rule_of_command(type_), names.short_type(type_)
    match rule.of(caller) if rule is not None else Reach.NONE:
        case Reach.OWN if caller.role is Role.LOCAL:
            asked = (
                "an order whose entity is unknown" if entity is None else f"an order of {entity}"
            )
            told = f"{caller.name} may send {short} for {caller.entity}, not for {asked}"
        case Reach.OWN:
            told = f"{caller.name} may send {short} only for what names them as reviewer"
        case _:
            told = f"{short} is for {_who(rule)}; {caller.name} has the role {caller.role}"
    raise forbidden(told, rule)


def may_read(caller: Caller, kind: str) -> Reach:
    """How far a caller may read things of a kind, such as order, or of a list, such as orders."""
    rule = _OF_ROUTES.get(f"GET /api/{KINDS.get(kind, kind)}")
    return rule.of(caller) if rule is not None else Reach.NONE


def may_follow(caller: Caller, topic: str) -> bool:
    """Whether a caller is told that something has changed: `packages`, `order:ORD29`."""
    kind, _, id = topic.partition(":")
    if kind == "entity" and caller.scope is not None:
        return id == caller.scope
    return may_read(caller, kind) is not Reach.NONE


def forbidden(detail: str, rule: Rule | None = None) -> Problem:
    """403: the caller is known, and may not."""
    return Problem(403, "forbidden", detail, accepted=rule.roles if rule is not None else [])


def _who(rule: Rule | None) -> str:
    return " and ".join(rule.roles) if rule is not None and rule.roles else "nobody"


async def check(request: Request) -> AsyncIterator[None]:
    """Serve a route only to those who may use it, and as often as they may.

    A dependency of the whole application: no route has to think of it.
    """
    path = path_of(request)
    if is_for_everybody(request.method, path):
        yield
        return
    rule = rule_of(request.method, path)
    identity = await callers.identify(request)
    here = callers.access(request)
    here.rates.take(identity.key)
    caller = identity.caller
    if rule is None or rule.of(caller) is Reach.NONE:
        asked = f"{request.method} {path}"
        raise forbidden(
            f"{asked} is for {_who(rule)}; {caller.name} has the role {caller.role}", rule
        )
    problems.check_names(request)
    order = reviewing.order_of(shape(path), request.path_params)
    await reviewing.check(here.pool, caller, order)
    if (request.method, shape(path)) not in STREAMS:
        yield
        return
    with here.streams.opened(identity.key):
        yield


def path_of(request: Request) -> str:
    """The path of the route that was found for a request, as the application has it."""
    route = request.scope["route"]
    known: dict[int, tuple[BaseRoute, str]] = getattr(request.app.state, "paths", {})
    if id(route) not in known:
        # The routes themselves are kept too: an id is theirs as long as they live.
        contexts = list(iter_route_contexts(request.app.routes))
        known = {id(c.original_route): (c.original_route, c.path or "") for c in contexts}
        request.app.state.paths = known
    _, path = known.get(id(route), (route, ""))
    return path
