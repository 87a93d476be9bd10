"""Sign-in by a provider, a real one on loopback: who comes back, and who only seems to."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.tracking.settings import TrackingSettings
from services.tracking.web import oidc
from services.tracking.web.problems import Problem
from services.tracking.web.roles import Caller, Role
from tests.harness import Harness
from tests.tracking.api import Api, api
from tests.tracking.web.conftest import Configure
from tests.tracking.web.provider import Provider, provider

OF_SERVERS = pytest.mark.servers
# The provider is built with what Authlib will do without in time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::authlib.deprecate.AuthlibDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
]

ROLES = "hq=central agencies=local it=operations"
CLIENT = "relais-tests"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """A provider for the tests of this file."""
    with provider() as made:
        yield made


@pytest.fixture
def identity(running: Provider) -> Iterator[Provider]:
    """The same, with nothing changed on its way."""
    yield running
    running.tampered = None


@pytest.fixture
async def web(harness: Harness, identity: Provider, configured: Configure) -> AsyncIterator[Api]:
    """The API of an installation whose people sign in there."""
    configured(
        oidc_issuer=identity.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret="secret",
        oidc_roles=ROLES,
    )
    async with api(harness) as made:
        yield made


async def begin(web: Api, next_: str = "/packages") -> str:
    """Where the browser is sent, from our link."""
    answer = await web.client.get("/sign-in/oidc", params={"next": next_})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def end(web: Api, back: str, **changed: str) -> httpx.Response:
    """What we answer to the browser that comes back, with some parameters changed."""
    path, query = urlsplit(back).path, parse_qs(urlsplit(back).query)
    given = {name: texts[0] for name, texts in query.items()} | changed
    return await web.client.get(f"{path}?{urlencode(given)}")


async def sign_in(web: Api, identity: Provider, sub: str = "u1", **claims: Any) -> httpx.Response:
    """The whole way of somebody with these claims."""
    identity.enroll(sub, **claims)
    back = await identity.sign_in(await begin(web), sub)
    return await end(web, back)


class Forger:
    """Somebody who holds the provider's key and changes claims; or another key alone."""

    def __init__(self, identity: Provider) -> None:
        self._key = RSAKey.generate_key(2048)
        self._identity = identity

    def change(self, *, has_key: bool = True, **claims: Any) -> None:
        """Let each ID token have other claims; None leaves one out."""

        def tampered(path: str, body: bytes) -> bytes:
            if path == "/jwks" and has_key:
                return json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()
            if path != "/oauth2/token":
                return body
            answer = json.loads(body)
            given = json.loads(jwt_payload(answer["id_token"])) | claims
            kept = {name: value for name, value in given.items() if value is not None}
            answer["id_token"] = jwt.encode({"alg": "RS256"}, kept, self._key)
            return json.dumps(answer).encode()

        self._identity.tampered = tampered


def jwt_payload(token: str) -> bytes:
    """The claims of a token, unread."""
    from joserfc.util import urlsafe_b64decode

    return urlsafe_b64decode(token.split(".")[1].encode())


@OF_SERVERS
class TestSigningIn:
    """By way of the provider."""

    async def test_makes_a_session_with_the_role_of_a_group(
        self, web: Api, identity: Provider
    ) -> None:
        """And leads to where one was going."""
        answer = await sign_in(web, identity, preferred_username="m.durand", groups=["staff", "hq"])

        assert (answer.status_code, answer.headers["Location"]) == (303, "/packages")
        found = (await web.client.get("/api/me")).json()
        assert (found["name"], found["role"], found["entity"]) == ("m.durand", "central", None)

    async def test_gives_a_local_operator_the_entity_of_its_claim(
        self, web: Api, identity: Provider
    ) -> None:
        """Which limits what it sees."""
        answer = await sign_in(
            web, identity, preferred_username="l", groups="agencies", entity="OU3"
        )

        assert answer.status_code == 303
        assert (await web.client.get("/api/me")).json()["entity"] == "OU3"

    async def test_sends_a_challenge_and_no_secret(self, web: Api, identity: Provider) -> None:
        """A code that is caught on its way is worth nothing; the provider checks the verifier."""
        url = await begin(web)
        query = {name: texts[0] for name, texts in parse_qs(urlsplit(url).query).items()}

        assert query["code_challenge_method"] == "S256"
        assert {"state", "nonce", "code_challenge"} <= query.keys()
        assert "code_verifier" not in url
        assert query["redirect_uri"] == "http://relais/sign-in/oidc/callback"

    async def test_without_a_role_is_refused_by_name(self, web: Api, identity: Provider) -> None:
        """With what the provider says, and what would be accepted."""
        answer = await sign_in(web, identity, preferred_username="x", groups=["staff"])

        assert (answer.status_code, answer.json()["code"]) == (403, "no_role")
        assert "has staff" in answer.json()["detail"]
        assert "hq, agencies, it" in answer.json()["detail"]
        assert (await web.client.get("/api/me")).status_code == 401

    async def test_never_leads_elsewhere(self, web: Api, identity: Provider) -> None:
        """The link may come from anybody."""
        identity.enroll("u1", groups=["hq"])
        back = await identity.sign_in(await begin(web, "https://evil"), "u1")

        assert (await end(web, back)).headers["Location"] == "/"


@OF_SERVERS
class TestComingBack:
    """Only from the sign-in that this browser has begun."""

    async def test_with_another_state_is_refused(self, web: Api, identity: Provider) -> None:
        """Somebody else's sign-in must not become mine."""
        back = await identity.sign_in(await begin(web), "u1")
        answer = await end(web, back, state="forged")

        assert answer.status_code == 403
        assert "state" in answer.json()["detail"]

    async def test_in_another_browser_is_refused(self, web: Api, identity: Provider) -> None:
        """It has begun nothing."""
        back = await identity.sign_in(await begin(web), "u1")
        web.client.cookies.clear()

        answer = await end(web, back)
        assert answer.status_code == 403
        assert "has not begun it here" in answer.json()["detail"]

    async def test_twice_is_refused(self, web: Api, identity: Provider) -> None:
        """A code counts once."""
        identity.enroll("u1", groups=["hq"])
        back = await identity.sign_in(await begin(web), "u1")
        kept = web.client.cookies["relais-oidc"]
        assert (await end(web, back)).status_code == 303

        web.client.cookies.set("relais-oidc", kept)
        assert (await end(web, back)).status_code == 403

    async def test_from_another_provider_is_refused(self, web: Api, identity: Provider) -> None:
        """As its parameter iss says."""
        back = await identity.sign_in(await begin(web), "u1")

        assert (await end(web, back, iss="https://evil")).status_code == 403

    async def test_with_an_error_says_it(self, web: Api, identity: Provider) -> None:
        """Whoever refuses at the provider sees why there is no session."""
        back = await identity.sign_in(await begin(web), "u1")
        answer = await end(web, back, error="access_denied", error_description="said no")

        assert answer.status_code == 403
        assert "the provider says: said no" in answer.json()["detail"]

    @pytest.mark.parametrize("query", ["", "state=x", "code=%00&state=%ff", "state=é"])
    async def test_with_nonsense_is_refused(self, web: Api, query: str) -> None:
        """And nothing breaks."""
        answer = await web.client.get(f"/sign-in/oidc/callback?{query}")

        assert answer.status_code in {403, 422}


@OF_SERVERS
class TestAnIdToken:
    """It is believed only where all of it is right."""

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://evil"},
            {"aud": "another-client"},
            {"aud": ["another-client"]},
            {"exp": int(time.time()) - 3_600},
            {"nonce": "another"},
            {"nonce": None},
            {"sub": None},
            {"exp": None},
        ],
    )
    async def test_with_other_claims_is_refused(
        self, web: Api, identity: Provider, claims: dict[str, Any]
    ) -> None:
        """Of another provider, for another client, of another time or another sign-in."""
        Forger(identity).change(**claims)
        answer = await sign_in(web, identity, groups=["hq"])

        assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_failed")
        assert (await web.client.get("/api/me")).status_code == 401

    async def test_that_is_right_is_believed_by_the_same_test(
        self, web: Api, identity: Provider
    ) -> None:
        """Otherwise the refusals above would prove nothing."""
        Forger(identity).change()

        assert (await sign_in(web, identity, groups=["hq"])).status_code == 303

    async def test_of_another_key_is_refused(self, web: Api, identity: Provider) -> None:
        """Everybody can write claims."""
        Forger(identity).change(has_key=False)

        assert (await sign_in(web, identity, groups=["hq"])).status_code == 403


@OF_SERVERS
class TestAProvider:
    """It may be away, or not the one that was meant."""

    async def test_that_is_away_is_named(self, harness: Harness, configured: Configure) -> None:
        """And asked again at the next attempt."""
        with provider() as gone:
            issuer = gone.issuer
        configured(oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_roles=ROLES)
        async with api(harness) as web:
            answer = await web.client.get("/sign-in/oidc")

        assert answer.status_code == 503
        assert answer.json()["away"] == [f"the provider {issuer}"]

    async def test_that_names_itself_otherwise_is_not_used(
        self, web: Api, identity: Provider
    ) -> None:
        """And is used once it is what was meant."""
        identity.tampered = lambda _, body: body.replace(
            f'"issuer": "{identity.issuer}'.encode(), b'"issuer": "https://evil'
        )
        answer = await web.client.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "RELAIS_OIDC_ISSUER" in answer.json()["detail"]

        identity.tampered = None
        assert (await web.client.get("/sign-in/oidc")).status_code == 303

    async def test_is_not_there_without_a_setting(self, harness: Harness) -> None:
        """The answer says which."""
        async with api(harness) as web:
            answer = await web.client.get("/sign-in/oidc")

        assert answer.status_code == 404
        assert "RELAIS_OIDC_ISSUER" in answer.json()["detail"]


def who(**claims: Any) -> Caller:
    """Who these claims are about."""
    return oidc.who(claims, TrackingSettings(oidc_roles=ROLES))


class TestRoles:
    """What the groups of somebody make of them."""

    @pytest.mark.parametrize(
        ("groups", "role"),
        [
            ("hq", Role.CENTRAL),
            (["it", "hq"], Role.CENTRAL),
            (["it", "unknown", 7], Role.OPERATIONS),
        ],
    )
    def test_are_those_of_the_first_group_that_fits(self, groups: Any, role: Role) -> None:
        """In the order of the setting, not of the provider."""
        assert who(preferred_username="m.durand", groups=groups) == Caller("m.durand", role)

    @pytest.mark.parametrize("groups", [None, [], "", "HQ", ["hq "], {"hq": 1}, 7])
    def test_are_none_where_nothing_fits(self, groups: Any) -> None:
        """Nobody gets one by chance."""
        with pytest.raises(Problem, match="has no role here"):
            who(preferred_username="m.durand", groups=groups)

    @pytest.mark.parametrize("entity", [None, "", "OU 3", ["OU3"], "x" * 65])
    def test_of_a_local_operator_need_an_entity(self, entity: Any) -> None:
        """Without one it would see nothing, or everything."""
        with pytest.raises(Problem, match="must be the id of an entity"):
            who(preferred_username="m.durand", groups=["agencies"], entity=entity)

    @pytest.mark.parametrize(
        ("claims", "name"),
        [
            ({"preferred_username": "m", "email": "e@x", "sub": "s"}, "m"),
            ({"email": "e@x", "sub": "s"}, "e@x"),
            ({"preferred_username": "bad\nname", "sub": "s"}, "s"),
        ],
    )
    def test_go_with_a_name(self, claims: dict[str, str], name: str) -> None:
        """That can be the actor of a command."""
        assert who(groups=["hq"], **claims).name == name

    def test_go_with_no_name_that_cannot_be_written(self) -> None:
        """It would be refused at each command."""
        with pytest.raises(Problem, match="without control characters"):
            who(groups=["hq"], sub="x" * 200)
