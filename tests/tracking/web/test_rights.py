"""The table of rights, and every route held to it."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from contracts.directory import EntityUpdated
from contracts.packages import PackageEdited
from services.tracking.web import rights
from services.tracking.web.problems import Problem
from services.tracking.web.rights import Reach
from services.tracking.web.roles import Caller, Role
from tests.tracking.api import Api
from tests.tracking.web.given import campaign, entity, notification, order, package

ROLES = [*Role]
EXAMPLES = {"kind": "package", "service": "orders", "number": "1"}
"""Values of parameters that are no id."""
THINGS = {
    "packages": "CAT86",
    "offers": "CAT86",
    "orders": "ORD1",
    "campaigns": "OU1_OP25",
    "entities": "OU1",
    "notifications": "N1",
    "commands": "CMD1",
    "views": "VIEW1",
    "waves": "W1",
}
"""The one thing of each list that test_rights knows; all of it is of OU1."""
PLAIN = {"/api/openapi.json"}

Route = tuple[str, str]


def routes(web: Api) -> Iterator[Route]:
    """Every method and path that the application serves."""
    for context in iter_route_contexts(web.app.routes):
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, context.path or ""


def example(path: str, things: dict[str, str] | None = None) -> str:
    """A path that one can ask for; things are the ids, by list."""
    list_ = path.split("/")[2] if path.startswith("/api/") else ""
    id = (things or {}).get(list_, "NOBODY1")
    for name in re.findall(r"\{(\w+)", path):
        path = re.sub(rf"\{{{name}[^}}]*\}}", EXAMPLES.get(name, id), path)
    return path


@pytest.mark.servers
class TestEveryRoute:
    """What the application serves is in the table, and the table decides."""

    async def test_is_in_the_table(self, web: Api) -> None:
        """One that nobody has thought of is served to nobody."""
        missing = [
            f"{method} {path}"
            for method, path in routes(web)
            if not rights.is_for_everybody(method, path) and rights.rule_of(method, path) is None
        ]

        assert not missing

    async def test_is_what_the_table_is_about(self, web: Api) -> None:
        """A row that no route serves says of a right that there is not."""
        served = {f"{method} {rights.shape(path)}" for method, path in routes(web)}
        rows = [" ".join(line.split()[:2]) for line in rights.ROUTES.splitlines() if "/api" in line]

        assert not set(rows) - served

    async def test_asks_the_table(self, web: Api) -> None:
        """A route without the dependency of the application would ask nobody."""
        bare = [
            context.path
            for context in iter_route_contexts(web.app.routes)
            if not isinstance(context.original_route, APIRoute) and context.path not in PLAIN
        ]

        assert not bare

    async def test_is_closed_to_who_is_unknown(self, web: Api) -> None:
        """Except those that let people in."""
        for method, path in routes(web):
            if not rights.is_for_everybody(method, path):
                answer = await web.client.request(method, example(path))
                assert answer.status_code == 401, (method, path)

    @pytest.mark.parametrize("role", ROLES)
    async def test_is_open_to_those_of_the_table(self, web: Api, role: Role) -> None:
        """Whoever has no right is told who has; to others it answers something else."""
        for method, path in routes(web):
            rule = rights.rule_of(method, path)
            if rule is None or (method, path) in rights.STREAMS:
                continue
            entity = "OU3" if role is Role.LOCAL else None
            answer = await web.request(method, example(path), role=role.value, entity=entity)
            is_refused = is_role_refused(answer)
            assert is_refused == (rule.reach[role] is Reach.NONE), (method, path, answer.text)
            if is_refused:
                assert answer.json()["accepted"] == rule.roles

    async def test_that_is_missing_is_served_to_nobody(self, web: Api) -> None:
        """Also not to central."""
        web.app.add_api_route("/api/forgotten", lambda: "secret", methods=["GET"])
        answer = await web.get("/api/forgotten")

        assert answer.status_code == 403
        assert "is for nobody" in answer.json()["detail"]


KINDS = ["package", "order", "campaign", "entity", "notification"]


@pytest.mark.servers
class TestWhatIsOwn:
    """Where the table says `own`, what is somebody else's is not there."""

    @pytest.fixture
    async def filled(self, web: Api) -> Api:
        """A package, an order, a campaign and a notification, all of them of OU1."""
        await web.harness.send(
            entity(),
            entity(id="OU2"),
            package(audience=("OU1",), reviewers=({"id": "p_martin", "label": "P. Martin"},)),
            order(),
            campaign(id="OU1_OP25", kind="child", package_id="CAT86", order_id="ORD1"),
            notification(),
        )
        return web

    async def test_is_shown_to_its_owner(self, filled: Api) -> None:
        """Otherwise the tests below would prove nothing."""
        for path in ("packages", "offers", "orders", "campaigns", "entities", "notifications"):
            answer = await filled.get(f"/api/{path}", role="local", entity="OU1")
            assert THINGS[path] in answer.text, path
        for kind in ("order", "entity", "notification"):
            path = f"/api/why/{kind}/{THINGS[rights.KINDS[kind]]}"
            assert (await filled.get(path, role="local", entity="OU1")).status_code == 200, path

    @pytest.mark.parametrize(
        ("role", "of"), [(Role.LOCAL, "OU2"), (Role.REVIEWER, None)], ids=["local", "reviewer"]
    )
    async def test_is_not_shown_to_others(self, filled: Api, role: Role, of: str | None) -> None:
        """Neither in lists, nor by its id: of that they are told that it is not there."""
        for method, path in routes(filled):
            rule = rights.rule_of(method, path)
            is_own = rule is not None and rule.reach[role] is Reach.OWN
            if method != "GET" or not is_own or (method, path) in rights.STREAMS:
                continue
            asked = example(path, THINGS)
            answer = await filled.get(asked, role=role.value, entity=of)
            assert answer.status_code in {200, 403, 404}, (asked, answer.text)
            # Reviewers read all packages, and so why they are what they are.
            if answer.status_code == 200 and not (role is Role.REVIEWER and "/why/" in path):
                assert not re.search(r"ORD1|CAT86|OU1\b|OU1_|\bN1\b", answer.text), asked

    async def test_of_an_offer_is_what_happened_to_the_package_alone(self, filled: Api) -> None:
        """To whom else it is offered, and who has ordered, is not told; why is."""
        audience = ("OU1", "OU7")
        reviewers = ({"id": "p_martin", "label": "P. Martin"},)
        known: dict[str, Any] = {"reviewers": reviewers, "status": "published"}
        edited = package(PackageEdited, version=5, audience=audience, label="A", **known)
        await filled.harness.send(edited)
        for path in ("/api/packages/CAT86/timeline", "/api/why/package/CAT86"):
            answer = await filled.get(path, role="local", entity="OU1")
            assert answer.status_code == 200, path
            assert not re.search(r"ORD1|OU7|OU1_OP25|N1", answer.text), path
        page = (await filled.get("/api/packages/CAT86/timeline", role="local", entity="OU1")).json()
        assert [change["field"] for change in page["items"][0]["changes"]] == ["label"]

    async def test_is_shown_to_reviewers_whom_it_names(self, filled: Api) -> None:
        """And to no others, as if it were not there."""
        paths = ("/api/orders/ORD1", "/api/orders/ORD1/timeline", "/api/why/order/ORD1")
        for path in paths:
            assert (await filled.get(path, role="reviewer")).status_code == 404, path
        reviewers = ({"id": "dev", "label": "Reviewer"},)
        await filled.harness.send(entity(EntityUpdated, version=2, order_reviewers=reviewers))
        for path in paths:
            assert (await filled.get(path, role="reviewer")).status_code == 200, path

    @pytest.mark.parametrize("kind", KINDS)
    async def test_is_not_explained_to_others(self, filled: Api, kind: str) -> None:
        """An explanation tells more than the thing itself."""
        path = f"/api/why/{kind}/{THINGS[rights.KINDS[kind]]}"

        assert (await filled.get(path, role="local", entity="OU2")).status_code == 404


def is_role_refused(answer: httpx.Response) -> bool:
    """Whether the table has refused it, and not the route itself."""
    return answer.status_code == 403 and "has the role" in answer.json()["detail"]


class TestTheTable:
    """It says for each role how far the right goes."""

    def test_has_a_word_for_each_role(self) -> None:
        """A word that means nothing would be an error when the module is imported."""
        for rule in (*rights._OF_ROUTES.values(), *rights._OF_COMMANDS.values()):
            assert list(rule.reach) == [*rights.COLUMNS]

    def test_lets_viewers_change_nothing(self) -> None:
        """But their own views."""
        changing = {
            name
            for name, rule in rights._OF_ROUTES.items()
            if rule.reach[Role.VIEWER] is not Reach.NONE and not name.startswith("GET ")
        }
        assert all("/api/views" in name for name in changing)

    def test_names_parameters_as_it_likes(self) -> None:
        """The name of a parameter says nothing about who may."""
        assert rights.rule_of("GET", "/api/packages/{package_id}") is not None
        assert rights.rule_of("GET", "/api/packages/{id:path}") is not None
        assert rights.rule_of("PUT", "/api/packages/{id}") is None


def of(role: Role) -> Caller:
    """Somebody with a role."""
    return Caller("m.durand", role, "OU3" if role is Role.LOCAL else None)


class TestCommands:
    """Who may send what."""

    @pytest.mark.parametrize(
        ("type_", "roles"),
        [
            ("package.cancel", {Role.CENTRAL}),
            ("relais.package.cancel.v1", {Role.CENTRAL}),
            ("package.approve", {Role.CENTRAL, Role.REVIEWER}),
            ("order.place", {Role.CENTRAL, Role.LOCAL}),
            ("order.reject", {Role.CENTRAL, Role.REVIEWER}),
            ("campaign.start", {Role.CENTRAL}),
            ("process.report", {Role.CENTRAL}),
            ("entity.register", {Role.CENTRAL}),
            ("notification.retry", {Role.CENTRAL, Role.OPERATIONS}),
            ("parked.retry", {Role.OPERATIONS}),
            ("snapshot.request", {Role.OPERATIONS}),
            ("nonsense", set()),
            ("", set()),
        ],
    )
    def test_are_for_some_roles(self, type_: str, roles: set[Role]) -> None:
        """A local operator for its own entity, a reviewer for what names them."""
        may = {
            role
            for role in Role
            if rights.may_send(of(role), type_, entity="OU3", reviewers=["m.durand"])
        }
        assert may == roles

    @pytest.mark.parametrize("entity", ["OU4", "ou3", "", None])
    def test_of_a_local_operator_are_for_its_own_entity(self, entity: str | None) -> None:
        """Also where the entity of an order is not known."""
        assert not rights.may_send(of(Role.LOCAL), "order.cancel", entity=entity)
        with pytest.raises(Problem) as refused:
            rights.check_send(of(Role.LOCAL), "order.cancel", entity=entity)
        assert refused.value.status == 403
        assert "for OU3, not for" in refused.value.detail

    def test_of_a_reviewer_are_for_what_names_them(self) -> None:
        """Nobody reviews in somebody else's name."""
        assert not rights.may_send(of(Role.REVIEWER), "package.approve", reviewers=["p.martin"])
        with pytest.raises(Problem, match="names them as reviewer"):
            rights.check_send(of(Role.REVIEWER), "package.approve", reviewers=["p.martin"])

    def test_refused_name_the_roles_that_may(self) -> None:
        """Whoever is refused knows whom to ask."""
        with pytest.raises(Problem, match=r"package\.cancel is for central; m\.durand"):
            rights.check_send(of(Role.VIEWER), "package.cancel")


class TestReading:
    """Kinds of things, as `why` and the stream name them."""

    @pytest.mark.parametrize(
        ("role", "kind", "reach"),
        [
            (Role.LOCAL, "order", Reach.OWN),
            (Role.REVIEWER, "order", Reach.OWN),
            (Role.REVIEWER, "entity", Reach.NONE),
            (Role.VIEWER, "process", Reach.ALL),
            (Role.CENTRAL, "parked", Reach.NONE),
            (Role.CENTRAL, "nonsense", Reach.NONE),
        ],
    )
    def test_is_as_the_list_of_that_kind(self, role: Role, kind: str, reach: Reach) -> None:
        """Nothing is told about what the list would not show."""
        assert rights.may_read(of(role), kind) is reach

    @pytest.mark.parametrize(
        ("role", "topic", "may"),
        [
            (Role.LOCAL, "entity:OU3", True),
            (Role.LOCAL, "entity:OU4", False),
            (Role.VIEWER, "entity:OU4", True),
            (Role.LOCAL, "parked", False),
            (Role.OPERATIONS, "parked", True),
            (Role.VIEWER, "workers", True),
            (Role.CENTRAL, "package:CAT86", True),
            (Role.CENTRAL, "nonsense:1", False),
        ],
    )
    def test_decides_what_the_stream_tells(self, role: Role, topic: str, may: bool) -> None:
        """A hint shows that something has changed, which may be too much already."""
        assert rights.may_follow(of(role), topic) is may
