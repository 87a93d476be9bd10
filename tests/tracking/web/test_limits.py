"""Limits: what is too long, too often or too many is told so, and harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.responses import StreamingResponse

from services.tracking.web import limits
from services.tracking.web.problems import Problem
from tests.eventually import eventually
from tests.harness import Harness
from tests.tracking.api import Api, api, serve_first
from tests.tracking.web.conftest import Configure

ME = "/api/me"


@pytest.mark.servers
class TestARequest:
    """What is too long is answered before anything is done with it."""

    async def test_with_a_long_body_is_refused(self, web: Api) -> None:
        """By what it says of its length, with the length that is accepted."""
        answer = await web.client.post("/sign-in", content=b"x" * 3_000_000)

        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"
        assert "3,000,000 bytes; at most 2,097,152" in answer.json()["detail"]

    async def test_that_does_not_tell_its_length_is_read_no_further(self, web: Api) -> None:
        """Whoever sends without end is cut off at the limit."""
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 100_000_000:
                sent += 65_536
                yield b"x" * 65_536

        answer = await web.client.post("/sign-in", content=endless())

        assert answer.status_code == 413
        assert sent < 3_000_000

    async def test_that_does_not_end_is_not_waited_for(
        self, harness: Harness, configured: Configure
    ) -> None:
        """Whoever sends a byte now and then holds a connection no longer than an answer takes."""
        configured(answer_seconds=1)

        async def stuck() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        async with api(harness) as web:
            answer = await web.client.post("/sign-in", content=stuck())

        assert (answer.status_code, answer.json()["code"]) == (408, "request_too_slow")

    async def test_with_a_long_filter_names_it(self, web: Api) -> None:
        """The list that would be filtered never sees it."""
        answer = await web.get(ME, params={"q": "x" * 2_001, "status": "late"})

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"field": "q", "message": "has 2,001 characters; at most 2,000 are accepted"}
        ]

    @pytest.mark.parametrize(
        ("query", "status"),
        [("q=%00", 422), ("x" * 17_000, 414), ("&".join(["a=1"] * 101), 422), ("%ff=%fe&&==", 422)],
    )
    async def test_with_an_odd_query_is_told_so(self, web: Api, query: str, status: int) -> None:
        """And nothing breaks."""
        assert (await web.get(f"{ME}?{query}")).status_code == status

    async def test_with_long_headers_is_refused(self, web: Api) -> None:
        """Long before the server itself would cut the connection."""
        answer = await web.get(ME, headers={"X-Long": "x" * 40_000})

        assert answer.status_code == 431

    @pytest.mark.parametrize("name", ["If-Match", "Idempotency-Key", "Content-Type"])
    async def test_with_a_header_twice_names_it(self, web: Api, name: str) -> None:
        """The second would contradict the first."""
        answer = await web.client.get(ME, headers=[(name, "1"), (name.lower(), "2")])

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"field": name, "message": "is given 2 times; one is accepted"}
        ]


@pytest.mark.servers
class TestAskingOften:
    """Each caller has a rate of its own."""

    async def test_is_told_when_to_ask_again(self, harness: Harness, configured: Configure) -> None:
        """And others go on."""
        configured(requests_per_second=0.5)
        async with api(harness, limited=True) as web:
            assert (await web.get(ME)).status_code == 200
            answer = await web.get(ME)
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 2
            assert "more than 0.5 times a second" in answer.json()["detail"]

            assert (await web.get(ME, role="viewer")).status_code == 200

    def test_leaves_no_trace_of_callers_that_are_gone(self, monkeypatch: Any) -> None:
        """Memory is bounded whoever asks."""
        monkeypatch.setattr(limits, "MOST_KNOWN", 10)
        monkeypatch.setattr(limits, "BURST_SECONDS", 0.0)
        rates = limits.Rates(100)
        for n in range(1_000):
            rates.take(str(n).encode())

        assert len(rates._left) <= 11


class TestStreams:
    """Each holds a connection, so that they are counted."""

    def test_of_one_caller_are_limited(self) -> None:
        """One that is closed makes room."""
        streams = limits.Streams(per_caller=1, together=5)
        with streams.opened(b"a"):
            with pytest.raises(Problem, match="1 streams open"), streams.opened(b"a"):
                pass
            with streams.opened(b"b"):
                pass
        with streams.opened(b"a"):
            pass

    def test_of_all_are_limited(self) -> None:
        """The process goes on answering."""
        streams = limits.Streams(per_caller=5, together=1)
        with (
            streams.opened(b"a"),
            pytest.raises(Problem, match="1 streams are open here"),
            streams.opened(b"b"),
        ):
            pass

    @pytest.mark.servers
    async def test_count_as_long_as_they_last(
        self, harness: Harness, configured: Configure
    ) -> None:
        """Not only until the answer begins."""
        configured(streams_per_caller=1)
        async with api(harness) as web:
            end = asyncio.Event()

            async def hints() -> AsyncIterator[bytes]:
                yield b": hello\n\n"
                await end.wait()

            serve_first(web, "/api/stream", lambda: StreamingResponse(hints()))
            first = asyncio.create_task(web.get("/api/stream"))
            streams = web.app.state.access.streams
            await eventually(lambda: streams._open.total() == 1)

            answer = await web.get("/api/stream")
            assert answer.status_code == 429
            assert answer.headers["Retry-After"]
            end.set()
            assert (await first).status_code == 200
            assert streams._open.total() == 0
