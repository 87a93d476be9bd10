"""Signing in with a browser: passwords, sessions, and what other sites may not do with them."""

import asyncio
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from services.tracking.web import attempts, callers, keys, operators, sessions
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller, Role
from tests.harness import Harness
from tests.tracking.api import Api, api
from tests.tracking.web.conftest import Configure

pytestmark = pytest.mark.servers

ME = "/api/me"
PASSWORD = "correct horse battery"
HERE = {"Origin": "http://relais"}


async def account(web: Api, role: str = "central", entity: str | None = None) -> None:
    """Make m.durand an account."""
    who = Caller("m.durand", Role(role), entity)
    assert await operators.add(web.harness.pool, who, PASSWORD)


async def sign_in(web: Api, name: str = "m.durand", password: str = PASSWORD) -> httpx.Response:
    """What signing in answers; the client keeps the cookie."""
    return await web.client.post("/sign-in", json={"name": name, "password": password})


async def me(web: Api, **headers: str) -> httpx.Response:
    """Who the browser is."""
    return await web.client.get(ME, headers=headers)


class TestSigningIn:
    """With the name and the password of an account."""

    async def test_makes_a_session(self, web: Api) -> None:
        """The browser is the operator, with role and entity."""
        await account(web, "local", "OU3")
        answer = await sign_in(web)

        who = {"name": "m.durand", "role": "local", "entity": "OU3"}
        assert (answer.status_code, answer.json()) == (200, who)
        found = (await me(web)).json()
        assert found.pop("form_token")
        assert found == who

    async def test_sets_a_careful_cookie(self, web: Api) -> None:
        """No script reads it, and no other site sends it along with what changes things."""
        await account(web)
        cookie = (await sign_in(web)).headers["Set-Cookie"]

        assert cookie.startswith("relais=")
        for attribute in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
            assert attribute in cookie
        assert "Secure" not in cookie

    async def test_over_https_sets_one_that_is_sent_only_so(
        self, harness: Harness, configured: Configure
    ) -> None:
        """And only to this host, as its prefix says."""
        configured(public_url="https://relais.example.com")
        async with api(harness) as web:
            await account(web)
            cookie = (await sign_in(web)).headers["Set-Cookie"]

        assert cookie.startswith("__Host-relais=")
        assert "Secure" in cookie

    async def test_by_a_form_leads_on(self, web: Api) -> None:
        """To where one was going."""
        await account(web)
        form = {"name": "m.durand", "password": PASSWORD, "next": "/packages?status=late"}
        answer = await web.client.post("/sign-in", data=form)

        assert answer.status_code == 303
        assert answer.headers["Location"] == "/packages?status=late"

    @pytest.mark.parametrize("elsewhere", ["https://evil", "//evil", "/\\evil", "x", "/a\nb"])
    async def test_never_leads_elsewhere(self, web: Api, elsewhere: str) -> None:
        """A link to the sign-in of ours must not end at another site."""
        await account(web)
        form = {"name": "m.durand", "password": PASSWORD, "next": elsewhere}
        answer = await web.client.post("/sign-in", data=form)

        assert answer.headers["Location"] == "/"

    async def test_without_any_account_says_how_to_make_one(self, web: Api) -> None:
        """A new installation is not a riddle."""
        answer = await sign_in(web)

        assert answer.status_code == 401
        assert "`relais operator add NAME --role central`" in answer.json()["detail"]

    async def test_tells_no_stranger_who_has_an_account(self, web: Api) -> None:
        """Of a wrong password, an unknown name and a disabled account the answer is the same."""
        await account(web)
        pool = web.harness.pool
        await operators.add(pool, Caller("gone", Role.VIEWER), PASSWORD)
        await operators.disable(pool, "gone")
        answers = [
            await sign_in(web, password="wrong password"),
            await sign_in(web, "nobody"),
            await sign_in(web, "gone"),
        ]

        assert [answer.status_code for answer in answers] == [401] * 3
        assert len({answer.text for answer in answers}) == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": "x" * 200, "password": "y"}, "name"),
            ({"name": "a\u0000b", "password": "y"}, "name"),
            ({"name": 7, "password": "y"}, "name"),
            ({"name": "x", "password": "y" * 2_000}, "password"),
            ([], "body"),
        ],
    )
    async def test_with_nonsense_names_the_field(self, web: Api, body: Any, field: str) -> None:
        """And never fails."""
        answer = await web.client.post("/sign-in", json=body)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/json"])
    async def test_takes_json_and_forms(self, web: Api, kind: str) -> None:
        """What else comes is told so."""
        answer = await web.client.post("/sign-in", content=b"{", headers={"Content-Type": kind})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] in {"Content-Type", "body"}

    async def test_brings_the_hash_up_to_date(
        self, web: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An account of years ago is kept as well as one of today."""
        await account(web)
        monkeypatch.setattr(operators, "_hasher", PasswordHasher(time_cost=2, memory_cost=128))
        for _ in range(2):
            assert (await sign_in(web)).status_code == 200

        kept = await web.harness.pool.fetchval("SELECT password FROM operators")
        assert "m=128,t=2" in kept


class TestFailedAttempts:
    """Guessing takes for ever."""

    async def test_are_limited_by_name_and_address(self, web: Api) -> None:
        """The right password does not help then either, or guessing would go on."""
        await account(web)
        for _ in range(attempts.BY_NAME_AND_ADDRESS):
            assert (await sign_in(web, password="wrong")).status_code == 401
        answer = await sign_in(web)

        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= attempts.WINDOW.total_seconds()

    async def test_of_somebody_else_do_not_count(self, web: Api) -> None:
        """Another name at the same address."""
        await account(web)
        for _ in range(attempts.BY_NAME_AND_ADDRESS + 1):
            await sign_in(web, "p.martin", "wrong")

        assert (await sign_in(web)).status_code == 200

    async def test_are_forgotten_after_a_success(self, web: Api) -> None:
        """Who mistypes now and then is never locked out."""
        await account(web)
        for _ in range(3):
            for _ in range(attempts.BY_NAME_AND_ADDRESS - 1):
                await sign_in(web, password="wrong")
            assert (await sign_in(web)).status_code == 200

    async def test_at_once_are_counted_before_they_are_tried(self, web: Api) -> None:
        """Many at the same time are not more than one after the other."""
        await account(web)
        tried = await asyncio.gather(*(sign_in(web, password="wrong") for _ in range(12)))

        assert [t.status_code for t in tried].count(401) <= attempts.BY_NAME_AND_ADDRESS


class TestASession:
    """It ends when it should, in every process."""

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Look at each request."""
        monkeypatch.setattr(callers, "KNOWN_FOR", 0.0)

    async def signed_in(self, web: Api) -> None:
        """Sign m.durand in."""
        await account(web)
        assert (await sign_in(web)).status_code == 200
        assert (await me(web)).status_code == 200

    async def test_is_known_to_another_process(self, web: Api) -> None:
        """There is one key for all, made by whoever was first."""
        await self.signed_in(web)
        async with api(web.harness) as other:
            other.client.cookies = web.client.cookies
            assert (await me(other)).json()["name"] == "m.durand"

    async def test_ends_by_signing_out(self, web: Api) -> None:
        """A copy of the cookie is worth nothing then."""
        await self.signed_in(web)
        cookie = web.client.cookies["relais"]
        assert (await web.client.post("/sign-out")).status_code == 204
        assert "relais" not in web.client.cookies

        web.client.cookies.set("relais", cookie)
        assert (await me(web)).status_code == 401

    async def test_ends_when_its_operator_is_disabled(self, web: Api) -> None:
        """Within seconds."""
        await self.signed_in(web)
        await operators.disable(web.harness.pool, "m.durand")

        assert (await me(web)).status_code == 401

    async def test_ends_with_another_password(self, web: Api) -> None:
        """Whoever had the old one is out."""
        await self.signed_in(web)
        await operators.set_password(web.harness.pool, "m.durand", "another password")

        assert (await me(web)).status_code == 401
        assert (await sign_in(web, password="another password")).status_code == 200

    @pytest.mark.parametrize(
        "moved",
        ["started_at = now() - interval '13 hours'", "seen_at = now() - interval '2 hours'"],
    )
    async def test_ends_by_itself(self, web: Api, moved: str) -> None:
        """After a day's work, and when nobody is there any more."""
        await self.signed_in(web)
        await web.harness.pool.execute(f"UPDATE sessions SET {moved}")

        answer = await me(web)
        assert answer.status_code == 401
        assert "session has ended" in answer.json()["detail"]

    async def test_goes_on_while_it_is_used(self, web: Api) -> None:
        """Each request puts the idle end off."""
        await self.signed_in(web)
        pool = web.harness.pool
        await pool.execute("UPDATE sessions SET seen_at = now() - interval '50 minutes'")
        assert (await me(web)).status_code == 200

        idle = await pool.fetchval("SELECT now() - seen_at < interval '1 minute' FROM sessions")
        assert idle

    async def test_begins_anew_at_each_sign_in(self, web: Api) -> None:
        """Nobody goes on in a session that somebody else may have begun."""
        await self.signed_in(web)
        before = web.client.cookies["relais"]
        await sign_in(web)
        assert web.client.cookies["relais"] != before

        web.client.cookies.clear()
        web.client.cookies.set("relais", before)
        assert (await me(web)).status_code == 401

    @pytest.mark.parametrize("cookie", ["x", "x.y", "", "a" * 5_000, "%00"])
    async def test_cannot_be_made_up(self, web: Api, cookie: str) -> None:
        """A cookie that is not signed by us is none."""
        web.client.cookies.set("relais", cookie)

        assert (await me(web)).status_code == 401


class TestAnotherSite:
    """It can do nothing in the name of whoever is signed in."""

    async def test_cannot_change_anything(self, web: Api) -> None:
        """Browsers say which site a request comes from."""
        await account(web)
        await sign_in(web)
        web.app.add_api_route("/api/views", lambda: "done", methods=["POST"])
        for headers in ({}, {"Origin": "https://evil"}, {"Origin": "null"}):
            answer = await web.client.post("/api/views", headers=headers)
            assert answer.status_code == 403
            assert answer.json()["code"] == "foreign_origin"
            assert "http://relais" in answer.json()["detail"]

        assert (await web.client.post("/api/views", headers=HERE)).status_code == 200

    async def test_cannot_sign_anybody_in_or_out(self, web: Api) -> None:
        """In another's account one would tell secrets to its owner."""
        await account(web)
        for path in ("/sign-in", "/sign-out"):
            answer = await web.client.post(path, headers={"Origin": "https://evil"}, json={})
            assert answer.status_code == 403

    async def test_is_no_matter_to_tokens(self, web: Api) -> None:
        """No browser sends a token by itself."""
        web.app.add_api_route("/api/views", lambda: "done", methods=["POST"])

        answer = await web.post("/api/views", headers={"Origin": "https://other"})
        assert answer.status_code == 200

    async def test_cannot_make_up_a_form(self, web: Api) -> None:
        """The token of a form belongs to one session."""
        key = await keys.load(web.harness.pool, "sessions")
        token = sessions.form_token(key, "mine")

        sessions.check_form_token(key, "mine", token)
        for wrong in (None, "", "é", sessions.form_token(key, "another")):
            with pytest.raises(Problem, match="not of this session"):
                sessions.check_form_token(key, "mine", wrong)


async def test_processes_that_start_at_once_have_one_key(web: Api) -> None:
    """Whoever is first makes it, and nobody else changes it."""
    pool = web.harness.pool
    found = await asyncio.gather(*(keys.load(pool, "new") for _ in range(8)))

    assert len(set(found)) == 1
