"""Run the whole scenario on a stack of its own, and report whether every effect is right."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from infra.local.fresh import fresh
from infra.local.servers import servers
from infra.local.stack import Stack, stack
from services.cli import comparison, proof, proof_report
from services.cli.comparison import Comparison
from services.cli.console import console
from services.cli.demo import driver, environment, expected, report, scenario, tables
from services.cli.demo.driver import Driver
from services.cli.demo.mailboxes import Read
from services.cli.demo.output import Output
from services.cli.demo.report import Report
from services.cli.demo.scenario import Scenario, Sizes
from services.cli.demo.steps import Steps
from services.cli.endpoints import Endpoints
from services.cli.problems import Problem
from services.cli.proof import Proof
from services.runtime.service import installed

PLACE = Path(__file__).parents[3] / ".local" / "demo"
PROOF_WAIT = 15.0
PAUSE = 0.3
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Result:
    """The result for programs; counts are from the tables, notified from the mailboxes."""

    orders_canceled: int
    campaigns_canceled: int
    processes_stopped: int
    notified: int
    lost: int
    twice: int
    seconds_cancel: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What the run came to: the reports of both editions, the proof over all messages, and the
    comparison of the read model with the tables of the services.
    """

    seconds: float
    canceled: dict[str, int]
    notified: int
    first: Report
    second: Report
    messages: Proof
    model: Comparison

    @property
    def result(self) -> Result:
        """The same in numbers."""
        missing = sum(one.missing for one in self.messages.services.values())
        return Result(
            orders_canceled=self.canceled["orders"],
            campaigns_canceled=self.canceled["campaigns"],
            processes_stopped=self.canceled["processes"],
            notified=self.notified,
            lost=self.first.lost + self.second.lost + missing,
            twice=self.first.twice + self.second.twice,
            seconds_cancel=round(self.seconds, 3),
            ok=self.first.ok and self.second.ok and self.messages.ok and self.model.ok,
        )


def demo(sizes: Sizes, workers: Mapping[str, int], *, as_json: bool) -> int:
    """Run the scenario; the exit code is 0 only when every effect is right."""
    output = Output(console(stderr=as_json))
    planned = scenario.build(scenario.read(), sizes, datetime.now(UTC))
    with fresh(PLACE) as folder:
        output.heading("A broker, a database and a worker of each service start")
        with (
            servers(folder, report=output.line) as pair,
            environment.reserve(pair, planned.mailboxes) as prefix,
            stack(pair, folder, workers=workers, databases=prefix, report=output.line) as running,
        ):
            findings = asyncio.run(_run(running, planned, output))
            _conclude(output, findings, running.restart_count)
        if as_json:
            print(json.dumps(asdict(findings.result)), flush=True)
        if not findings.result.ok:
            # Leaving with an error keeps the folder.
            raise Problem(f"some effects are wrong; the workers' logs are in {folder}/logs")
    return 0


async def _run(running: Stack, planned: Scenario, output: Output) -> Findings:
    since = datetime.now(UTC)
    _introduce(output, planned)
    check = lambda: running.wait(0)  # noqa: E731 - a value, not a rule with a name
    async with driver.connect(running.amqp_url, running.postgres, planned.actor, check) as made:
        steps = Steps(made, planned, output, Read())
        await steps.register()
        await steps.offer()
        await steps.order(planned, edition=1)
        await steps.deactivate()
        before = expected.before_cancel(planned, 1).notices
        await steps.collect("notices of the first edition", before)
        seconds = await steps.cancel()
        await steps.too_late()
        after = before | expected.after_cancel(planned, 1).notices
        await steps.collect("notices of the cancel", after)
        first = await report.of_cancel(steps, crashed=running.restart_count > 0)
        canceled = await tables.canceled(made.pools, edition=1)
        notified = steps.read.of("package_canceled", edition=1)
        _show(output, "The cancel", first)
        again = await steps.again()
        new = expected.before_cancel(again, 2).notices
        await steps.collect("notices of the second edition", after | new)
        crashed = running.restart_count > 0
        second = await report.of_second_edition(steps, again, first, crashed=crashed)
        _show(output, "The second edition, beside the first", second)
        messages = await _prove(running, since, output)
        model = await _compare(made, output)
    return Findings(seconds, canceled, notified, first, second, messages, model)


def _introduce(output: Output, planned: Scenario) -> None:
    large = planned.plans[0]
    output.line(
        f"{len(large.orders) + len(large.imported):,} orders and {len(planned.entities):,} "
        f"entities for package {large.id}, and a few for each other level of distribution"
    )


async def _prove(running: Stack, since: datetime, output: Output) -> Proof:
    output.heading("Every message, in every inbox")
    stack_of_ours = Endpoints(running.amqp_url, running.postgres, "the demo")
    with output.step("what each service emitted looked up in the inbox of each reader"):
        found = await proof.prove(stack_of_ours, since, wait=PROOF_WAIT)
    proof_report.show(found, output.console)
    return found


async def _compare(made: Driver, output: Output) -> Comparison:
    output.heading("The read model, beside the services' tables")
    until = time.monotonic() + PROOF_WAIT
    with output.step("every row that lists and pages are made of compared with its service's"):
        while True:
            found = await comparison.compare(installed(), made.pools, made.pools["tracking"])
            if found.ok or time.monotonic() > until:
                break
            await asyncio.sleep(PAUSE)
    rows = ", ".join(f"{n:,} {thing}" for thing, n in sorted(found.compared.items()))
    output.line(f"{rows}: {found.differences:,} differences", "" if found.ok else "red")
    for sentence in found.listed[:SHOWN]:
        output.line(sentence, "red")
    return found


def _show(output: Output, title: str, compared: Report) -> None:
    output.heading(f"{title}: expected and found")
    table = Table("", "expected", "found", box=None)
    for what, wanted, found in compared.lines:
        style = "" if wanted == found else "red"
        table.add_row(what, f"{wanted:,}", f"{found:,}", style=style)
    output.console.print(table)
    for sentence in compared.wrong[:SHOWN]:
        output.line(sentence, "red")


def _conclude(output: Output, findings: Findings, restarts: int) -> None:
    result = findings.result
    output.heading("Proved right" if result.ok else "Not proved right")
    output.line(
        f"{result.orders_canceled:,} orders and {result.campaigns_canceled:,} campaigns canceled, "
        f"{result.processes_stopped:,} processes stopped, {result.notified:,} entities notified "
        f"in {result.seconds_cancel:.2f} s"
    )
    untrue = findings.model.differences
    output.line(f"lost {result.lost:,}, twice {result.twice:,}, untrue {untrue:,}")
    if restarts:
        repeats = findings.first.repeats + findings.second.repeats
        output.line(f"{restarts} workers were started again, {repeats:,} notices were repeated")
