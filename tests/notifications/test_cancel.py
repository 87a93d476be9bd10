"""The cancel of a package: everybody concerned is told once, and then it is reported."""

import pytest

from tests.notifications.given import canceled, orders_report, pack, published
from tests.notifications.stage import Post

pytestmark = pytest.mark.servers


class TestCancelOfAPublishedPackage:
    """A collaborative package with an audience, and orders of entities outside it."""

    async def test_tells_audience_and_ordering_entities_once(self, post: Post) -> None:
        """Each of the audience, and each entity with an order, gets one package_canceled."""
        await post.register("OU1", "OU2", "OU3", mailbox="north")
        await post.send(published())
        await post.deliver()
        await post.read("north")
        await post.send(canceled(), actor="m.durand")
        await post.send(pack(["OU1", "OU3", "OU3"]), orders_report(3))
        await post.deliver()
        assert await post.counted(["north"]) == {
            ("package_canceled", "OU1"): 1,
            ("package_canceled", "OU2"): 1,
            ("package_canceled", "OU3"): 1,
        }
        (report,) = await post.reports()
        assert (report.notified, report.superseded, report.failed) == (3, 0, 0)
