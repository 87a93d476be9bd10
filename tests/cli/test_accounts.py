"""`relais token` and `relais operator`: what administrators do in tracking's own database."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from services.cli import app, token, up
from services.cli.problems import USAGE, Problem
from services.runtime.postgres import database
from services.tracking.web import tokens
from services.tracking.web.roles import Caller

SERVERS = pytest.mark.servers
PASSWORD = "correct horse battery"

Relais = Callable[..., tuple[int, str, str]]


@pytest.fixture
async def url(
    database: Callable[[str], Awaitable[str]], amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A database of tracking, which the environment names."""
    made = await database("tracking")
    monkeypatch.setenv("RELAIS_TRACKING_POSTGRES_URL", made)
    return made


@pytest.fixture
def relais(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Relais:
    """Runs a command line; its exit code, and what it prints and remarks."""

    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["relais", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


async def running(relais: Relais, *arguments: str, given: str = "") -> tuple[int, str, str]:
    """The same beside the loop of the test: the command has one of its own."""
    return await asyncio.to_thread(lambda: relais(*arguments, given=given))


@SERVERS
class TestTokens:
    """`relais token`."""

    async def test_of_a_stack_are_made_anew_at_each_start(self, url: str) -> None:
        """Without a process of their own; those of the start before let nobody in."""
        stack: Any = SimpleNamespace(postgres={"tracking": url})
        first, second = [await asyncio.to_thread(up.new_tokens, stack) for _ in range(2)]
        async with database.pool(url, "relais test", size=1) as pool:
            for key, role in (("api_token", "central"), ("operations_token", "operations")):
                found = await tokens.find(pool, second[key])
                assert isinstance(found, Caller)
                assert found.role == role
                assert "withdrawn" in str(await tokens.find(pool, first[key]))

    async def test_prints_the_secret_once_and_alone(self, relais: Relais, url: str) -> None:
        """A script reads it; the table has nothing that lets anybody in."""
        code, out, err = await running(relais, "token", "add", "erp", "--role", "central")

        secret = out.strip()
        assert (code, secret.startswith(tokens.PREFIX)) == (0, True)
        assert "only time it is shown" in err
        conn = await asyncpg.connect(url)
        assert await conn.fetchval("SELECT digest FROM tokens") == tokens.digest(secret)
        await conn.close()
        _, listed, _ = await running(relais, "token", "list")
        assert "erp" in listed
        assert secret not in listed

    async def test_ends_what_is_withdrawn(self, relais: Relais, url: str) -> None:
        """By its id or by its name, and the list says so."""
        add = ("token", "add", "store", "--role", "local", "--entity", "OU3")
        _, out, _ = await running(relais, *add, "--ends", "90d", "--json")
        made = json.loads(out)
        assert (await running(relais, "token", "withdraw", made["token_id"]))[0] == 0

        (row,) = json.loads((await running(relais, "token", "list", "--json"))[1])
        assert (row["state"], row["entity"]) == ("withdrawn", "OU3")
        code, _, err = await running(relais, "token", "withdraw", "store")
        assert (code, "no valid token has the id or the name 'store'" in err) == (1, True)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("erp", "--role", "king"), "must be one of central, local"),
            (("erp", "--role", "local"), "needs --entity"),
            (("erp", "--role", "central", "--entity", "OU3"), "has no --entity"),
            (("erp", "--role", "local", "--entity", "OU 3"), "must be an id"),
            ((" ", "--role", "central"), "without blanks"),
            (("p.martin", "--role", "reviewer"), "what packages and entities name"),
            (("erp", "--role", "central", "--ends", "yesterday"), "such as 12h or 90d"),
        ],
    )
    async def test_refuses_what_makes_no_sense(
        self, relais: Relais, url: str, arguments: tuple[str, ...], said: str
    ) -> None:
        """And says what would."""
        code, _, err = await running(relais, "token", "add", *arguments)

        assert (code, said in err) == (USAGE, True)


@SERVERS
class TestOperators:
    """`relais operator`."""

    async def test_makes_and_disables_accounts(self, relais: Relais, url: str) -> None:
        """The password comes by standard input where there is no terminal."""
        add = ("operator", "add", "m.durand", "--role", "central")
        assert (await running(relais, *add, given=f"{PASSWORD}\n"))[0] == 0
        code, _, err = await running(relais, *add, given=f"{PASSWORD}\n")
        assert (code, "has an account already" in err) == (1, True)

        assert (await running(relais, "operator", "disable", "m.durand"))[0] == 0
        (row,) = json.loads((await running(relais, "operator", "list", "--json"))[1])
        assert (row["name"], bool(row["disabled_at"])) == ("m.durand", True)
        assert "password" not in row
        assert (await running(relais, "operator", "enable", "m.durand"))[0] == 0

    async def test_changes_passwords(self, relais: Relais, url: str) -> None:
        """Of those that there are, to one that is long enough."""
        change = ("operator", "password", "m.durand")
        code, _, err = await running(relais, *change, given=f"{PASSWORD}\n")
        assert (code, "has no account" in err) == (1, True)

        code, _, err = await running(relais, *change, given="short\n")
        assert (code, "has 5 characters; 12 to 1024 are accepted" in err) == (USAGE, True)


class TestTheEndOfAToken:
    """As it is given on the command line."""

    NOW = datetime(2026, 11, 26, tzinfo=UTC)

    def test_is_a_time_from_now_or_a_moment(self) -> None:
        """Whichever is at hand."""
        assert token.moment(None, self.NOW) is None
        assert token.moment("90d", self.NOW) == self.NOW + timedelta(days=90)
        assert token.moment("2027-01-01T00:00:00Z", self.NOW) == datetime(2027, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["", "90", "0d", "9" * 30 + "d", "2027-01-01", "2026-01-01T00:00:00Z"]
    )
    def test_is_told_how_it_is_written(self, text: str) -> None:
        """Also where it has passed."""
        with pytest.raises(Problem, match="a time to come with its offset"):
            token.moment(text, self.NOW)
