"""Every check that needs no servers, several at the same time."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from services.cli.children import PROJECT, Outcome, run_captured, tool

WITHOUT_SERVERS = ("RELAIS_AMQP_URL", "RELAIS_POSTGRES_URL")


@dataclass(frozen=True)
class Step:
    """One tool and what it looks at; without its input there is nothing to check yet."""

    name: str
    argv: Sequence[str]
    needs: str = "."


PURE = ("-q", "-m", "not servers", "-n", "2")
# The slow ones first, so that the quick ones fill the gaps.
STEPS = (
    Step("types", (tool("mypy"),)),
    Step("pure tests", (sys.executable, "-m", "pytest", *PURE), "tests"),
    Step("import rules", (tool("lint-imports"), "--no-cache")),
    Step(
        "compose file",
        (
            tool("check-jsonschema"),
            *("--builtin-schema", "vendor.compose-spec"),
            "docker-compose.yml",
        ),
        "docker-compose.yml",
    ),
    Step("Dockerfile", (tool("hadolint"), "infra/Dockerfile"), "infra/Dockerfile"),
    Step("lint", (tool("ruff"), "check", ".")),
    Step("format", (tool("ruff"), "format", "--check", ".")),
)


def check() -> int:
    """Run every step; print a line each, and the output of those that fail; 1 when one fails."""
    environment = {k: v for k, v in os.environ.items() if k not in WITHOUT_SERVERS}
    steps = [step for step in STEPS if (PROJECT / step.needs).exists()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(run_captured, step.argv, environment): step for step in steps}
        failed = [report(running[done], done.result()) for done in as_completed(running)]
    return int(any(failed))


def report(step: Step, outcome: Outcome) -> bool:
    """Print the result of a step; true when it failed."""
    word = "FAILED" if outcome.code else "ok"
    print(f"{word:6} {step.name:13} {outcome.seconds:5.1f} s", flush=True)
    if outcome.code:
        print(outcome.output, flush=True)
    return bool(outcome.code)
