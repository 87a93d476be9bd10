"""How the command line finds the API, and what it makes of its answers."""

import json
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from services.cli import api, endpoints
from services.cli.problems import MISCONFIGURED, TRY_AGAIN, UNAVAILABLE, USAGE, Problem
from tests.cli.small_api import SmallApi, page


@pytest.fixture
def nothing_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither the environment nor a file names an API; where the file would be."""
    for name in (api.URL, api.TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(endpoints, "PROJECT", tmp_path)
    written = tmp_path / endpoints.WRITTEN
    written.parent.mkdir(parents=True)
    return written


async def asked(path: str = "/api/packages") -> api.Json:
    """The answer to one question."""
    async with api.connected() as connection:
        return await connection.get(path)


class TestFind:
    """Which API is asked."""

    def test_goes_by_the_environment(
        self, nothing_told: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another installation is asked from anywhere."""
        monkeypatch.setenv(api.URL, "https://relais.example.com/")
        monkeypatch.setenv(api.TOKEN, "secret")
        found = api.find()
        assert (found.url, found.token) == ("https://relais.example.com", "secret")

    def test_takes_the_token_from_a_file(
        self, nothing_told: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A secret need not stand in the environment."""
        (tmp_path / "token").write_text("secret\n")
        monkeypatch.setenv(api.URL, "https://relais.example.com")
        monkeypatch.setenv(f"{api.TOKEN}_FILE", str(tmp_path / "token"))
        assert api.find().token == "secret"

    def test_goes_by_the_file_of_a_running_stack(self, nothing_told: Path) -> None:
        """Beside `./run up` nothing has to be set."""
        nothing_told.write_text(json.dumps({"http_url": "http://up", "api_token": "secret"}))
        found = api.find()
        assert (found.url, found.token) == ("http://up", "secret")

    @pytest.mark.parametrize(
        ("environment", "written", "text", "code"),
        [
            ({}, None, r"no API is known: start a stack with \./run up", UNAVAILABLE),
            ({}, "{", "cannot be read", UNAVAILABLE),
            ({}, "[]", "cannot be read", UNAVAILABLE),
            ({}, "{}", "names no API", UNAVAILABLE),
            ({api.URL: "http://x"}, None, "RELAIS_API_TOKEN is not set", MISCONFIGURED),
            ({api.URL: "x", api.TOKEN: "y"}, None, "must be http://host:port", MISCONFIGURED),
        ],
    )
    def test_says_what_is_missing(
        self,
        nothing_told: Path,
        monkeypatch: pytest.MonkeyPatch,
        environment: dict[str, str],
        written: str | None,
        text: str,
        code: int,
    ) -> None:
        """And what to do."""
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if written is not None:
            nothing_told.write_text(written)
        with pytest.raises(Problem, match=text) as caught:
            api.find()
        assert caught.value.exit_code == code


class TestAnswers:
    """What an answer comes to."""

    async def test_that_is_a_list_is_read_page_after_page(self, small: SmallApi) -> None:
        """Until there is no next one, or there are enough."""
        small.answer("/api/packages", page([{"n": 1}, {"n": 2}], next="c"), page([{"n": 3}]))
        async with api.connected() as connection:
            found = [one["n"] async for one in connection.items("/api/packages", {}, None)]
        assert found == [1, 2, 3]
        assert [query.get("cursor") for _, _, query, _ in small.asked] == [None, "c"]

    async def test_that_is_a_problem_is_told_with_every_error(self, small: SmallApi) -> None:
        """Each on a line of its own."""
        errors = [
            {"field": "status", "message": "must be one of published, not 'x'"},
            {"field": "limit", "message": "must be at most 200, not 201"},
        ]
        detail = "; ".join(f"{e['field']} {e['message']}" for e in errors)
        small.problem("/api/packages", 422, "invalid", detail, errors=errors)
        with pytest.raises(Problem) as caught:
            await asked()
        assert str(caught.value).splitlines() == [
            "not valid:",
            "  status must be one of published, not 'x'",
            "  limit must be at most 200, not 201",
        ]
        assert caught.value.exit_code == USAGE

    @pytest.mark.parametrize(
        ("status", "code"),
        [(403, 1), (404, 1), (409, 1), (412, 1), (429, TRY_AGAIN), (503, UNAVAILABLE)],
    )
    async def test_has_an_exit_code_by_its_status(
        self, small: SmallApi, status: int, code: int
    ) -> None:
        """A program can tell what a person reads."""
        small.problem("/api/packages", status, "some_code", "this is so because of that")
        with pytest.raises(Problem, match="this is so because of that") as caught:
            await asked()
        assert caught.value.exit_code == code

    async def test_to_a_token_of_nobody_says_how_to_get_one(
        self, small: SmallApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reason of the API comes with it."""
        monkeypatch.setenv(api.TOKEN, "other")
        with pytest.raises(Problem, match="the token is nobody's; `relais token add") as caught:
            await asked()
        assert caught.value.exit_code == MISCONFIGURED

    @pytest.mark.parametrize("status", [200, 502])
    async def test_of_a_stranger_is_no_answer(self, small: SmallApi, status: int) -> None:
        """Another server at that port is not taken for ours."""
        small.answer("/api/packages", PlainTextResponse("<html>", status))
        with pytest.raises(Problem, match="it is no API of Relais"):
            await asked()

    async def test_of_nobody_says_what_to_start(
        self, small: SmallApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And where the address is from."""
        monkeypatch.setenv(api.URL, "http://127.0.0.1:1")
        with pytest.raises(
            Problem, match=r"no API answers at http://127\.0\.0\.1:1 .* environment"
        ):
            await asked()

    async def test_to_a_token_that_no_header_holds_is_none(
        self, small: SmallApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is the setting that is wrong."""
        monkeypatch.setenv(api.TOKEN, "é\u2028")
        with pytest.raises(Problem, match="cannot be used"):
            await asked()
