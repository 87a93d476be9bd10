"""Tokens: what programs prove with who they are."""

from datetime import UTC, datetime, timedelta

import pytest

from services.tracking.web import callers, tokens
from services.tracking.web.roles import Caller, Role
from tests.tracking.api import Api

pytestmark = pytest.mark.servers

ME = "/api/me"


class TestAToken:
    """A random secret, of which only a digest is kept."""

    async def test_says_who_asks(self, web: Api) -> None:
        """Name, role and entity are those that it was made with."""
        answer = await web.get(ME, role="local", entity="OU3")

        assert answer.status_code == 200
        assert answer.json() == {
            "name": "dev",
            "role": "local",
            "entity": "OU3",
            "form_token": None,
        }

    async def test_is_kept_as_a_digest(self, web: Api) -> None:
        """Whoever reads the table can ask for nothing."""
        secret = await web.token()

        rows = await web.harness.pool.fetch("SELECT tokens::text AS text FROM tokens")
        assert not [row for row in rows if secret.removeprefix(tokens.PREFIX) in row["text"]]

    async def test_is_marked_as_used(self, web: Api) -> None:
        """An administrator finds those that nobody needs any more."""
        await web.get(ME)

        (row,) = await tokens.list_(web.harness.pool)
        assert row["last_used_at"] is not None


class TestNobody:
    """Who is not known is told how to be."""

    @pytest.mark.parametrize(
        ("headers", "said"),
        [
            ({}, "no token"),
            ({"Authorization": "Bearer relais_nobody"}, "nobody's"),
            ({"Authorization": "Basic Zm9vOmJhcg=="}, "'Basic'"),
            ({"Authorization": "Bearer"}, "'Bearer'"),
            ({"Authorization": "Bearer dev:central"}, "nobody's"),
            ({"Authorization": "Bearer \xff\xfe"}, "nobody's"),
        ],
    )
    async def test_gets_401(self, web: Api, headers: dict[str, str], said: str) -> None:
        """With the scheme that is accepted, and what was wrong with the header."""
        raw = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
        answer = await web.client.get(ME, headers=raw)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert said in answer.json()["detail"]

    async def test_is_who_sends_two(self, web: Api) -> None:
        """Which of them counts would be a guess; the header is named."""
        token = f"Bearer {await web.token()}"
        answer = await web.client.get(
            ME, headers=[("Authorization", token), ("Authorization", token)]
        )

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"field": "Authorization", "message": "is given 2 times; one is accepted"}
        ]


class TestTheEndOfAToken:
    """Within seconds nobody is let in by it."""

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Look at each request."""
        monkeypatch.setattr(callers, "KNOWN_FOR", 0.0)

    async def test_comes_when_it_is_withdrawn(self, web: Api) -> None:
        """The answer says so."""
        assert (await web.get(ME)).status_code == 200
        await tokens.withdraw(web.harness.pool, "dev")

        answer = await web.get(ME)
        assert answer.status_code == 401
        assert "withdrawn" in answer.json()["detail"]

    async def test_comes_at_its_time(self, web: Api) -> None:
        """The clock of the database decides."""
        past = datetime.now(UTC) - timedelta(minutes=1)
        made = await tokens.add(web.harness.pool, Caller("old", Role.VIEWER), past)

        answer = await web.client.get(ME, headers={"Authorization": f"Bearer {made.secret}"})
        assert answer.status_code == 401
        assert "has ended" in answer.json()["detail"]

    async def test_comes_when_another_replaces_it(self, web: Api) -> None:
        """`./run up` makes a new one each time, and leaves none behind."""
        first = await web.token()
        await tokens.add(web.harness.pool, Caller("dev", Role.CENTRAL), replaces=True)

        answer = await web.client.get(ME, headers={"Authorization": f"Bearer {first}"})
        assert answer.status_code == 401


async def test_what_was_seen_a_moment_ago_is_not_looked_up_again(web: Api) -> None:
    """A busy program does not cost a look into the tables at each request."""
    await web.get(ME)
    await web.harness.pool.execute("DELETE FROM tokens")

    assert (await web.get(ME)).status_code == 200
