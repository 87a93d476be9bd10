"""Tell the whole story on servers and a stack of its own, and say whether it proved right."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from infra.local.fresh import fresh
from infra.local.servers import servers
from infra.local.stack import Stack, stack
from services.cli import proof, proof_report
from services.cli.console import console
from services.cli.demo import cast as casting
from services.cli.demo import evidence, expected, tables
from services.cli.demo.acts import Story
from services.cli.demo.cast import Cast, Sizes
from services.cli.demo.ground import ground
from services.cli.demo.mailboxes import Read
from services.cli.demo.narrator import Narrator
from services.cli.demo.stage import stage
from services.cli.demo.verdict import Verdict
from services.cli.endpoints import Endpoints
from services.cli.problems import Problem
from services.cli.proof import Proof

PLACE = Path(__file__).parents[3] / ".local" / "demo"
SETTLE = 15.0
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Result:
    """What the story came to; counts are from the tables, notified from the mailboxes."""

    orders_canceled: int
    campaigns_canceled: int
    processes_stopped: int
    notified: int
    lost: int
    twice: int
    seconds_cancel: float
    ok: bool


def demo(sizes: Sizes, workers: Mapping[str, int], *, as_json: bool) -> int:
    """Tell the story; the exit code is 0 only when it proved right."""
    narrator = Narrator(console(stderr=as_json))
    cast = casting.cast(casting.read(), sizes, datetime.now(UTC))
    with fresh(PLACE) as folder:
        narrator.act("A broker, a database and a worker of each service start")
        with (
            servers(folder, say=narrator.say) as pair,
            ground(pair, cast.mailboxes) as prefix,
            stack(pair, folder, workers=workers, databases=prefix, say=narrator.say) as running,
        ):
            result = asyncio.run(tell(running, cast, narrator))
        if as_json:
            print(json.dumps(asdict(result)), flush=True)
        if not result.ok:
            # Leaving with an error keeps the folder.
            raise Problem(f"the story did not prove right; the workers' logs are in {folder}/logs")
    return 0


async def tell(running: Stack, cast: Cast, narrator: Narrator) -> Result:
    """Tell the story on a running stack."""
    since = datetime.now(UTC)
    _tell_of(cast, narrator)
    async with stage(running.amqp_url, running.postgres, cast.actor, _check(running)) as made:
        story = Story(made, cast, narrator, Read())
        await story.register()
        await story.offer()
        await story.order(cast, edition=1)
        await story.leave()
        before = expected.before_cancel(cast, 1).notices
        await story.collect("notices of the first life", before)
        seconds = await story.cancel()
        await story.too_late()
        after = before | expected.after_cancel(cast, 1).notices
        await story.collect("notices of the cancel", after)
        first = await evidence.of_cancel(story, crashed=running.restart_count > 0)
        counts = await tables.canceled(made.pools, edition=1)
        notified = story.read.of("package_canceled", edition=1)
        _show(narrator, "The cancel", first)
        encore = await story.again()
        new = expected.before_cancel(encore, 2).notices
        await story.collect("notices of the second life", after | new)
        crashed = running.restart_count > 0
        second = await evidence.of_second_life(story, encore, first, crashed=crashed)
        _show(narrator, "The second life, beside the first", second)
        messages = await _prove(running, since, narrator)
    result = Result(
        orders_canceled=counts["orders"],
        campaigns_canceled=counts["campaigns"],
        processes_stopped=counts["processes"],
        notified=notified,
        lost=first.lost + second.lost + sum(s.missing for s in messages.services.values()),
        twice=first.twice + second.twice,
        seconds_cancel=round(seconds, 3),
        ok=first.ok and second.ok and messages.ok,
    )
    _conclude(narrator, cast, result, first.repeats + second.repeats, running.restart_count)
    return result


def _tell_of(cast: Cast, narrator: Narrator) -> None:
    large = cast.parts[0]
    narrator.say(
        f"{len(large.orders) + len(large.imported):,} orders and {len(cast.entities):,} entities "
        f"for package {large.id}, and a few for each other level of distribution"
    )


def _check(running: Stack) -> Callable[[], None]:
    return lambda: running.wait(0)


async def _prove(running: Stack, since: datetime, narrator: Narrator) -> Proof:
    narrator.act("Every message, in every inbox")
    stack_of_ours = Endpoints(running.amqp_url, running.postgres, "the demo")
    with narrator.step("what each service said looked up in the inbox of each reader"):
        found = await proof.prove(stack_of_ours, since, wait=SETTLE)
    proof_report.show(found, narrator.console)
    return found


def _show(narrator: Narrator, title: str, verdict: Verdict) -> None:
    narrator.act(f"{title}: expected and found")
    table = Table("", "expected", "found", box=None)
    for what, wanted, found in verdict.lines:
        style = "" if wanted == found else "red"
        table.add_row(what, f"{wanted:,}", f"{found:,}", style=style)
    narrator.console.print(table)
    for sentence in verdict.wrong[:SHOWN]:
        narrator.say(sentence, "red")


def _conclude(narrator: Narrator, cast: Cast, result: Result, repeats: int, restarts: int) -> None:
    narrator.act("Proved right" if result.ok else "Not proved right")
    narrator.say(
        f"{result.orders_canceled:,} orders and {result.campaigns_canceled:,} campaigns canceled, "
        f"{result.processes_stopped:,} processes stopped, {result.notified:,} entities notified "
        f"in {result.seconds_cancel:.2f} s"
    )
    narrator.say(f"lost {result.lost:,}, twice {result.twice:,}")
    if restarts:
        narrator.say(f"{restarts} workers were started again, {repeats:,} notices were repeated")
