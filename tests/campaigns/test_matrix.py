"""Every command in every status, of campaigns and of processes."""

import pytest

from contracts.campaigns import CampaignStatus, ProcessStatus
from services.campaigns import handlers
from services.runtime.decision import Refused
from tests.campaigns.given import (
    NOW,
    campaign,
    creation,
    decide,
    life,
    process,
    received,
    report,
    world,
)
from tests.campaigns.then import cells, outcome_of

LIFE = """
of a campaign | unknown          being_edited   started        finished       canceled
--------------+---------------------------------------------------------------------------
create        | being_edited     already_exists already_exists already_exists already_exists
start         | unknown_campaign started        unchanged      wrong_status   wrong_status
cancel        | unknown_campaign canceled       canceled       wrong_status   unchanged
reinitialize  | unknown_campaign unchanged      wrong_status   wrong_status   being_edited
report        | unknown_campaign running        running        running        process_stopped
"""
"""report: that a pending process of it runs, whatever the campaign; no status makes it unknown."""

PROCESSES = """
report of a process that is | pending  running   paused    finished     failed       stopped
----------------------------+-----------------------------------------------------------------
running                     | running  unchanged running   wrong_status wrong_status process_stopped
paused                      | paused   paused    unchanged wrong_status wrong_status process_stopped
finished                    | finished finished  finished  unchanged    wrong_status process_stopped
failed                      | failed   failed    failed    wrong_status unchanged    process_stopped
"""
"""In a started campaign with another process that runs."""

IN_A_CANCEL = """
report of a process that is | pending         running         paused          finished     failed       stopped
----------------------------+----------------------------------------------------------------------------------------
running                     | process_stopped process_stopped process_stopped wrong_status wrong_status process_stopped
paused                      | process_stopped process_stopped process_stopped wrong_status wrong_status process_stopped
finished                    | process_stopped process_stopped process_stopped unchanged    wrong_status process_stopped
failed                      | process_stopped process_stopped process_stopped wrong_status unchanged    process_stopped
"""  # noqa: E501 - one line of the table is one report
"""In a campaign whose cancel is still on its way to the process."""

MOVED = """
process   | start   cancel  reinitialize
----------+-------------------------------------
pending   | running stopped cancellation_running
running   | -       stopped cancellation_running
paused    | -       stopped cancellation_running
finished  | -       -       -
failed    | -       -       -
stopped   | -       -       pending
"""
"""What each command of a campaign makes of a process; - leaves it as it is.  A canceled campaign
whose processes are still being stopped returns when all are."""

BEFORE = {"start": "being_edited", "cancel": "started", "reinitialize": "canceled"}


@pytest.mark.parametrize(("name", "status", "wanted"), cells(LIFE), ids=str)
class TestACommand:
    """The one table of a campaign's life."""

    def test_leads_where_the_table_says(self, name: str, status: str, wanted: str) -> None:
        """Every status meets every command."""
        known = None if status == "unknown" else campaign(status, ["WKF1", "WKF2"])
        processes = [process("WKF1"), process("WKF2")] if name == "report" and known else []
        match name:
            case "create":
                decision = decide(creation(), known)
            case "report":
                decision = decide(report("WKF1", "running"), known, processes)
            case _:
                decision = decide(life(name), known)
        assert outcome_of(decision) == wanted


@pytest.mark.parametrize(("reported", "status", "wanted"), cells(PROCESSES), ids=str)
class TestAReport:
    """The one table of a process's life."""

    def test_leads_where_the_table_says(self, reported: str, status: str, wanted: str) -> None:
        """Every status meets every report."""
        known = campaign("started", ["WKF1", "WKF2"])
        processes = [process("WKF1", status), process("WKF2", "running")]
        assert outcome_of(decide(report("WKF1", reported), known, processes)) == wanted


@pytest.mark.parametrize(("reported", "status", "wanted"), cells(IN_A_CANCEL), ids=str)
class TestAReportDuringACancel:
    """A large campaign is canceled before the last of its processes is stopped."""

    def test_is_decided_as_if_all_were_stopped(
        self, reported: str, status: str, wanted: str
    ) -> None:
        """Nothing slips between the cancel and its sweep."""
        known = campaign("canceled", ["WKF1"], by=("CAT86", 1))
        decision = decide(report("WKF1", reported), known, [process("WKF1", status)])
        assert outcome_of(decision) == wanted


@pytest.mark.parametrize(("status", "name", "wanted"), cells(MOVED), ids=str)
class TestAProcess:
    """What becomes of the processes of a campaign."""

    def test_is_moved_where_the_table_says(self, status: str, name: str, wanted: str) -> None:
        """Every status of a process meets every command of its campaign."""
        # Another that still waits, so that starting it does not finish the campaign.
        other = "stopped" if name == "reinitialize" else "pending"
        known = world(
            [campaign(BEFORE[name], ["WKF1", "WKF2"])],
            [process("WKF1", status), process("WKF2", other)],
        )
        decision = handlers.handle(known, received(life(name)))
        left = known.processes.get(("OP13", "WKF1"))
        assert left is not None
        if isinstance(decision, Refused):
            assert (decision.code, left) == (wanted, process("WKF1", status))
        elif wanted == "-":
            assert left == process("WKF1", status)
        else:
            assert (left.status, left.version, left.changed_at) == (wanted, 3, NOW)


class TestTheTables:
    """No status is forgotten."""

    def test_name_every_status_of_a_campaign(self) -> None:
        """The columns of the table of a campaign's life are its statuses."""
        assert {column for _, column, _ in cells(LIFE)} == {"unknown", *CampaignStatus}

    def test_name_every_status_of_a_process(self) -> None:
        """The columns of the tables of reports are the statuses of a process."""
        for table in (PROCESSES, IN_A_CANCEL):
            assert {column for _, column, _ in cells(table)} == set(ProcessStatus)
        assert {row for row, _, _ in cells(MOVED)} == set(ProcessStatus)
