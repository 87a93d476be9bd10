"""Fan-outs that an earlier commit left half-way reach everybody, once."""

import json
from collections import defaultdict
from typing import Any

import pytest

from contracts import names
from tests.eventually import eventually
from tests.upgrade.conftest import DUMPS, MAILBOXES, PATIENT, Rows, Upgraded

# The first of them waits until the installation is restored, set up and at work.
pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

AUDIENCE = {"CAT1": 43, "CAT5": 44}
TOLD = {"CAT1": "package_canceled", "CAT5": "package_available"}


class TestNotices:
    """Fan-outs that were under way, with some recipients told and others not."""

    @pytest.mark.parametrize("package", AUDIENCE)
    async def test_reach_each_entity_under_one_id(self, upgraded: Upgraded, package: str) -> None:
        """One that was sent before is not sent under another id; one that was noted, not again."""
        before = [n for n in json.loads((DUMPS / "notices.json").read_text()) if _is(n, package)]
        ids: dict[str, set[str]] = defaultdict(set)
        for notice in before:
            ids[notice["recipient"]].add(notice["id"])

        async def everybody() -> bool:
            found = await _mailboxes(upgraded, package)
            return len(ids.keys() | {n["recipient"] for n in found}) == AUDIENCE[package]

        await eventually(everybody, timeout=PATIENT)
        after = await _mailboxes(upgraded, package)
        for notice in after:
            ids[notice["recipient"]].add(notice["id"])
        assert {recipient: len(found) for recipient, found in ids.items()} == dict.fromkeys(ids, 1)
        again = {n["id"] for n in after}
        assert not again & {n["id"] for n in before if n["recorded"]}
        assert again >= {n["id"] for n in before if not n["recorded"]}
        assert len(again) == len(after)

    @pytest.mark.parametrize("package", AUDIENCE)
    async def test_are_all_noted_as_sent(self, upgraded: Upgraded, package: str) -> None:
        """One row for each of the audience, whoever was told when."""
        statement = f"""
            SELECT n.status, count(*) FROM notifications n JOIN happenings h USING (happening_id)
            WHERE h.kind = '{TOLD[package]}' AND h.package_id = '{package}' GROUP BY n.status
        """
        all_sent = [{"status": "sent", "count": AUDIENCE[package]}]

        async def noted() -> bool:
            return await upgraded.rows("notifications", statement) == all_sent

        await eventually(noted, timeout=PATIENT)

    async def test_reach_an_operator(self, upgraded: Upgraded) -> None:
        """What was added for the central mailbox and never looked at is sent."""
        queue = names.mailbox(names.CENTRAL)
        await eventually(lambda: upgraded.reader.read(queue), timeout=PATIENT)
        [notice] = await upgraded.reader.read(queue)
        assert (notice.type, notice.subject) == ("relais.notification.package_rejected.v1", "OPR1")


async def _mailboxes(upgraded: Upgraded, package: str) -> Rows:
    """The notices about a package that have reached the mailboxes."""
    envelopes = [e for m in MAILBOXES for e in await upgraded.reader.read(names.mailbox(m))]
    notices = [
        {**(e.data or {}), "recipient": e.subject, "id": e.id}
        | {"package": ((e.data or {})["package"] or {}).get("package_id")}
        for e in envelopes
    ]
    return [notice for notice in notices if _is(notice, package)]


def _is(notice: dict[str, Any], package: str) -> bool:
    return (notice["package"], notice["kind"]) == (package, TOLD[package])
