"""The API does what its description says: asked for everything that may be asked, and more."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as given_case
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from services.runtime.service import Served
from services.tracking.web.app import site
from tests.tracking.api import Api
from tests.tracking.web.given import campaign, entity, notification, order, package, process

pytestmark = pytest.mark.servers

ROLES = {"central": 8, "local": 3, "reviewer": 2, "operations": 2, "viewer": 2}
"""Requests to each operation by each role; a long run asks for many more."""
TIMES = 20 if os.environ.get("RELAIS_LONG") else 1

# Which parameters go together no schema can say: those that do not are refused.
# 503 is an answer: here the broker has no exchanges.
EXCLUDED: list[CheckFunction] = [positive_data_acceptance, not_a_server_error]


def is_no_fault(_: Any, response: Any, __: Any) -> None:
    """No request makes the server fail."""
    assert response.status_code < 500 or response.status_code == 503, response.text


ADDED: list[CheckFunction] = [is_no_fault]


@pytest.fixture
async def url(web: Api, amqp_url: str) -> AsyncIterator[str]:
    """Where the API answers over HTTP, with one of everything."""
    await web.harness.send(
        package(), campaign(), process(), entity(), order(), notification(), entity(id="OU2")
    )
    async with site(Served("tracking", web.harness.pool, amqp_url)) as made:
        server = uvicorn.Server(uvicorn.Config(made.app, log_config=None, lifespan="off"))
        with socket.create_server(("127.0.0.1", 0)) as door:
            serving = asyncio.create_task(server.serve([door]))
            host, port = door.getsockname()[:2]
            yield f"http://{host}:{port}"
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class TestTheDescription:
    """/api/openapi.json."""

    async def test_holds_for_every_operation_and_role(self, web: Api, url: str) -> None:
        """No request makes the server fail, and every answer is of a form that is described."""
        tokens = {r: await web.token(r, "OU1" if r == "local" else None) for r in ROLES}
        await asyncio.to_thread(_ask_all, url, tokens)

    async def test_holds_for_one_request_after_another(self, web: Api, url: str) -> None:
        """What an answer names can be asked for next."""
        await asyncio.to_thread(_walk, url, await web.token("central"))

    async def test_has_an_example_of_every_answer(self, url: str) -> None:
        """And an operation has a summary, a tag and every error."""
        async with httpx.AsyncClient() as client:
            described = (await client.get(f"{url}/api/openapi.json")).json()
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                name = f"{method} {path}"
                assert operation["summary"], name
                assert operation["tags"], name
                assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys(), name
                for found in (*operation["responses"].values(), operation.get("requestBody", {})):
                    for kind, content in found.get("content", {}).items():
                        is_described = {"example", "examples"} & content.keys()
                        assert is_described or "ndjson" in kind, (name, kind)


def _ask_all(url: str, tokens: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        if found.ok().path == "/api/stream":
            continue  # it does not end
        for role, token in tokens.items():
            _ask(found.ok(), token, ROLES[role])


def _ask(operation: APIOperation[Any, Any, Any, Any], token: str, examples: int) -> None:
    @_settings(examples * TIMES)
    @given_case(case=operation.as_strategy())
    def ask(case: Case[Any]) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        case.call_and_validate(
            headers=headers, timeout=30, excluded_checks=EXCLUDED, additional_checks=ADDED
        )

    ask()


def _walk(url: str, token: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    machine = schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc, valid-type]
        """A client that goes from one answer to the next."""

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            """Who asks."""
            return {"headers": {"Authorization": f"Bearer {token}"}, "timeout": 30}

        def validate_response(self, response: Any, case: Case[Any], **more: Any) -> None:
            """Whether it is as described."""
            case.validate_response(response, excluded_checks=EXCLUDED, additional_checks=ADDED)

    run_state_machine_as_test(Walk, settings=settings(_settings(10), stateful_step_count=6))
