"""What only the management API of a broker tells: nodes, members, leaders and policies.

AMQP says nothing of them. The API is asked at its usual port; where nothing answers there, that
is what we say.
"""

import asyncio
import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from contracts import hosts, names

PORTS = {"amqp": ("http", 15672), "amqps": ("https", 15671)}
TIMEOUT = 3.0
SHOWN = 5
"""Names of queues that a warning shows."""

ASK = "`rabbitmqctl list_queues name leader members policy` shows them"
HARMFUL = {
    "message-ttl": "messages expire before they are read, and come out of order",
    "expires": "a queue goes with all it holds while no worker reads it",
    "overflow": "messages are dropped where a queue is full",
    "max-length": "senders are refused where a queue is full",
    "max-length-bytes": "senders are refused where a queue is full",
    "delivery-limit": "messages of a worker that ends come out of order",
    "max-age": "what has expired and nobody has read yet is deleted",
    "alternate-exchange": "events that reach no reader are not noticed",
    "federation-upstream": "messages come twice and in another order",
    "federation-upstream-set": "messages come twice and in another order",
    "consumer-timeout": "workers lose their lanes while they wait for a server",
}
# Arguments of our queues win over these, or quorum queues do not look at them.
HARMLESS = {
    *("dead-letter-exchange", "dead-letter-routing-key", "dead-letter-strategy"),
    *("queue-leader-locator", "queue-master-locator", "target-group-size", "initial-cluster-size"),
    *("ha-mode", "ha-params", "ha-sync-mode", "queue-mode", "queue-version"),
    *("max-in-memory-length", "max-in-memory-bytes", "consumer-disconnected-timeout"),
}


@dataclass(frozen=True)
class Broker:
    """The nodes of a broker, and what it says of our queues and exchanges."""

    nodes: list[str]
    queues: list[dict[str, Any]]
    exchanges: list[dict[str, Any]]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)


def url_of(amqp_url: str) -> str:
    """Where the management API of a broker usually is."""
    first = hosts.each(amqp_url)[0]
    scheme, port = PORTS[urlsplit(first).scheme]
    host = hosts.place(first).rsplit(":", 1)[0]
    return f"{scheme}://{host}:{port}"


async def describe(amqp_url: str, services: list[str], api: str | None = None) -> list[str]:
    """What whoever runs the broker should know, in lines; api is for one at another place."""
    api = api or url_of(amqp_url)
    try:
        found = await asyncio.to_thread(_look, amqp_url, services, api)
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        return [f"members, leaders and policies are not known ({api}: {why}); {ASK}"]
    return [*_members(found), *_policies(found)]


def _look(amqp_url: str, services: list[str], api: str) -> Broker:
    parts = urlsplit(amqp_url)
    vhost = quote(unquote(parts.path[1:]) or "/", safe="")
    user = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"

    def get(path: str) -> list[dict[str, Any]]:
        request = urllib.request.Request(f"{api}/api/{path}")
        request.add_header("Authorization", f"Basic {b64encode(user.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            found = json.load(answer)
        return [one for one in found if isinstance(one, dict)]

    queues = [q for q in get(f"queues/{vhost}") if _is_ours(q["name"], services)]
    exchanges = [e for e in get(f"exchanges/{vhost}") if _is_ours(e["name"], services)]
    policies = {p["name"]: p["definition"] for p in get(f"policies/{vhost}")}
    try:
        nodes = [node["name"] for node in get("nodes")]
    except urllib.error.HTTPError:
        # A user without the tag `monitoring` sees just those where its queues are.
        nodes = sorted({node for queue in queues for node in queue.get("members", ())})
    return Broker(nodes, queues, exchanges, policies)


def _is_ours(name: str, services: list[str]) -> bool:
    return name.partition(".")[0] in {*services, "relais", names.mailbox("").rstrip(".")}


def _members(broker: Broker) -> Iterator[str]:
    """How many members our queues have, and where their leaders are."""
    leaders = Counter(map(_leader, broker.queues))
    spread = ", ".join(f"{node} {count}" for node, count in sorted(leaders.items()))
    nodes = "1 node" if len(broker.nodes) == 1 else f"{len(broker.nodes)} nodes"
    yield f"{nodes}; {len(broker.queues)} queues; leaders: {spread}"
    if len(broker.nodes) < 2:
        return
    for queue in sorted(broker.queues, key=lambda queue: str(queue["name"])):
        members = " ".join(sorted(queue.get("members", ())))
        yield f"{queue['name']}: leader {_leader(queue)}, members {members}"
    lone = [queue["name"] for queue in broker.queues if len(queue.get("members", ())) == 1]
    if lone:
        yield (
            f"warning: {_several(lone)} have one member, though there are {len(broker.nodes)} "
            "nodes: they stand still while it is away; "
            "`rabbitmq-queues grow NODE all` gives them another"
        )


def _leader(queue: dict[str, Any]) -> str:
    # RabbitMQ 3 names the leader of a stream as its node.
    return str(queue.get("leader") or queue.get("node") or "nowhere")


def _policies(broker: Broker) -> Iterator[str]:
    """A warning for each key of a policy that can take messages away, or their order."""
    touched: dict[tuple[str, str, Any], list[str]] = {}
    for thing in (*broker.queues, *broker.exchanges):
        named = thing.get("policy") or thing.get("operator_policy") or ""
        definition = thing.get("effective_policy_definition") or broker.policies.get(named, {})
        for key, value in dict(definition).items():
            if key not in HARMLESS and (key, value) != ("overflow", "reject-publish"):
                touched.setdefault((named, key, str(value)), []).append(thing["name"])
    for (policy, key, value), things in touched.items():
        harm = HARMFUL.get(key, "Relais was not tried with it")
        yield (
            f"warning: policy {policy} sets {key} {value} on {_several(things)}: {harm}; "
            "take it off, or give it a pattern that leaves them out"
        )


def _several(things: list[str]) -> str:
    shown = ", ".join(sorted(things)[:SHOWN])
    more = len(things) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
