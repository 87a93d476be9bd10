"""Commands to try failed notifications again: what they are decided against, and come to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Self

from contracts.envelope import FieldError
from contracts.notifications import RetryNotifications
from contracts.outcomes import RefusalCode
from contracts.packages import PackageEdition
from services.notifications import notices, states, wakes
from services.notifications.delivery import RowKey, State
from services.notifications.domain import PackageCopy
from services.runtime.decision import Cause, Decision, Refused, Unchanged, Unknown, accepted
from services.runtime.service import Connection, Job, JobKind, Jobs, Transaction, jobs

LISTED = 20
"""Ids that a sentence lists."""


async def retry(tx: Transaction, job: Job, size: int) -> Job:
    """Try the next failed notifications of an edition again; the cursor is the last of them.

    What fails meanwhile stands before it, and is left alone.
    """
    package_id, edition = job.arguments["package_id"], job.place
    after = RowKey(*(job.cursor or states.FIRST))
    failed = await states.lock_failed(tx.conn, package_id, edition, after, size)
    await try_again(tx, failed)
    for state in failed:
        tx.emit(notices.snapshot(state.again), job.cause)
    return job.moved(list(failed[-1].row) if failed else job.cursor, done=len(failed) < size)


async def try_again(tx: Transaction, failed: Sequence[State]) -> None:
    """Let failed notifications be sent again; that they are pending now is said by a snapshot."""
    await states.try_again(tx.conn, failed, tx.now)
    if failed:
        tx.wake(wakes.SEND)


RETRY = JobKind("retry", retry, retained=False)


def retry_line(package_id: str) -> str:
    """The line of retries about a package: no fan-out waits for them, nor they for one."""
    return f"retry:{package_id}"


def retry_job(package_id: str, edition: int, cause: Cause) -> Job:
    """The retry of all that has failed of an edition."""
    return RETRY.job(retry_line(package_id), edition, cause, package_id=package_id)


@dataclass(slots=True)
class Retries:
    """failed are by id the notifications that somebody names, and waiting those tried anyway.

    has_failed are the editions of which all are to be tried again, and some have failed.
    """

    failed: dict[str, State] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    has_failed: set[PackageEdition] = field(default_factory=set)
    jobs: Jobs = field(default_factory=Jobs)
    _again: list[State] = field(default_factory=list)

    @classmethod
    async def load(
        cls,
        conn: Connection,
        commands: Sequence[RetryNotifications],
        packages: dict[str, PackageCopy],
    ) -> Self:
        """Lock the notifications that these name, and look whether there are any they describe."""
        found = cls(jobs=await jobs.find(conn, {retry_line(c.package_id) for c in commands}))
        for command in commands:
            life = _life(command, packages.get(command.package_id))
            if life is None:
                continue
            package_id, edition = life
            if command.notification_ids is None:
                if await states.lock_failed(conn, package_id, edition, states.FIRST, 1):
                    found.has_failed.add(life)
                continue
            ids = command.notification_ids
            named = await states.lock_named(conn, package_id, command.edition, ids)
            found.failed |= named
            if len(named) < len(set(ids)):
                found.waiting |= await states.find_pending(conn, package_id)
        return found

    def handle(
        self, command: RetryNotifications, package: PackageCopy | None, cause: Cause
    ) -> Decision:
        """Decide one against what the ones before it left."""
        life = _life(command, package)
        if package is None or life is None:
            text = f"no package {command.package_id} is known to notifications; name one that is"
            return Unknown(RefusalCode.UNKNOWN_PACKAGE, text)
        if life[1] > package.edition:
            wrong = FieldError("data.edition", _sentence_of_edition(life[1], package))
            return Refused(RefusalCode.INVALID, f"{wrong.field} {wrong.message}", errors=(wrong,))
        if command.notification_ids is None:
            return self._retry_all(life, cause)
        return self._retry(command.package_id, dict.fromkeys(command.notification_ids))

    def _retry_all(self, life: PackageEdition, cause: Cause) -> Decision:
        package_id, edition = life
        of = f"of {package_id}, edition {edition},"
        if self.jobs.has(RETRY, retry_line(package_id), edition):
            return Unchanged(f"the failed notifications {of} are being tried again already")
        if life not in self.has_failed:
            return Unchanged(f"no notification {of} has failed")
        self.jobs.add(retry_job(package_id, edition, cause))
        return accepted(message=f"all failed notifications {of} are tried again")

    def _retry(self, package_id: str, ids: Collection[str]) -> Decision:
        failed = [self.failed.pop(id) for id in ids if id in self.failed]
        again = {state.id for state in failed}
        waiting = [id for id in ids if id in self.waiting and id not in again]
        unknown = [id for id in ids if id not in again and id not in self.waiting]
        parts = []
        if failed:
            parts.append(
                f"{len(failed)} of {len(ids)} notifications of {package_id} are tried again"
            )
        if waiting:
            parts.append(f"to be tried again already: {_listed(waiting)}")
        if unknown:
            parts.append(f"{package_id} has no failed notification {_listed(unknown)}")
        text = "; ".join(parts)
        if failed:
            self._again += failed
            self.waiting |= again
            return accepted(*(notices.snapshot(state.again) for state in failed), message=text)
        if waiting:
            return Unchanged(text)
        advice = "name failed ones, or give failed: true for all of an edition"
        return Refused(RefusalCode.WRONG_STATUS, f"{text}; {advice}")

    async def save(self, tx: Transaction) -> None:
        """Let what was named be tried again, and leave to a job what may be much."""
        await try_again(tx, self._again)
        await self.jobs.store(tx)


def _life(command: RetryNotifications, package: PackageCopy | None) -> PackageEdition | None:
    """The edition that is meant: the present one, unless another is named."""
    if package is None:
        return None
    return command.package_id, command.edition or package.edition


def _sentence_of_edition(edition: int, package: PackageCopy) -> str:
    present = f"{package.edition}, the present edition of {package.package_id}"
    return f"must be at most {present}, not {edition}"


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - LISTED
    first = ", ".join(ids[:LISTED])
    return f"{first} and {more} more" if more > 0 else first
