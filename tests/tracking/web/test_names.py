"""Parameters of a query: one that a route does not have is refused wherever it is given."""

import pytest

from services.tracking.web import rights
from tests.tracking.api import Api
from tests.tracking.web.test_rights import example, routes

pytestmark = pytest.mark.servers


class TestAParameterThatARouteDoesNotHave:
    """A name that is mistyped would be left out without a word."""

    async def test_is_refused_by_its_name(self, web: Api) -> None:
        """By every route, with those that it has."""
        for method, path in routes(web):
            if rights.is_for_everybody(method, path):
                continue
            role = _who(method, path)
            answer = await web.request(
                method, example(path), params={"dely": "10"}, role=role, entity="OU1"
            )
            assert answer.status_code == 422, (method, path, answer.text)
            errors = answer.json()["errors"]
            named = [error for error in errors if error["field"] == "dely"]
            assert [one["message"][:24] for one in named] == ["is not a parameter here;"], path


def _who(method: str, path: str) -> str:
    rule = rights.rule_of(method, path)
    assert rule is not None
    return next(role for role in ("central", "operations", "local") if role in rule.roles)
