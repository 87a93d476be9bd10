"""The long work that a package causes here: the cancel of its campaigns, and their return."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contracts.campaigns import CanceledBy
from contracts.cancellation import CancellationProgressed, PackageCampaignsCanceled
from contracts.packages import DistributionLevel, PackageCanceled, PackageReinitialized
from services.runtime.received import Cause

SERVICE = "campaigns"

JobKey = tuple[str, int, str]
"""Package, edition, kind: each is done once, however often its event comes."""


class JobKind(StrEnum):
    """An edition begins with the return of the campaign, and may end with its cancel."""

    REINITIALIZE = "reinitialize"
    CANCEL = "cancel"


class Job(BaseModel):
    """One cancel or reinitialization of a package, and how far it has got.

    campaign_id is the package's own campaign.  A cancel visits campaigns and their processes by
    key; what follows (after_campaign, after_process) is still to be visited, and None there says
    that the whole of after_campaign has been.  visited and expected count both, the other counts
    are those of the report.
    """

    model_config = ConfigDict(frozen=True)

    package_id: str
    edition: int
    kind: JobKind
    campaign_id: str
    after_campaign: str = ""
    after_process: str | None = None
    visited: int = 0
    expected: int = 0
    campaigns: int = 0
    processes_stopped: int = 0
    too_late: int = 0
    done: bool = False
    cause: Cause

    @property
    def key(self) -> JobKey:
        """What makes it this job."""
        return self.package_id, self.edition, self.kind

    @property
    def canceled_by(self) -> CanceledBy:
        """What the campaigns that it cancels keep of it."""
        return CanceledBy(package_id=self.package_id, edition=self.edition)

    def moved(self, campaign_id: str, process_id: str | None, **more: int) -> "Job":
        """The job with its cursor moved here, and this much more counted."""
        cursor = {"after_campaign": campaign_id, "after_process": process_id}
        counts = {name: getattr(self, name) + count for name, count in more.items()}
        return self.model_copy(update={**cursor, **counts})

    def finished(self) -> "Job":
        """The job with nothing left to do."""
        return self.model_copy(update={"done": True})


def cancel(event: PackageCanceled, cause: Cause, expected: int) -> Job:
    """The job of a cancel; that of a local package leaves campaigns as they are, and is done."""
    is_local = event.distribution_level == DistributionLevel.LOCAL
    return Job(
        package_id=event.package_id,
        edition=event.edition,
        kind=JobKind.CANCEL,
        campaign_id=event.campaign_id,
        expected=0 if is_local else expected,
        done=is_local,
        cause=cause,
    )


def reinitialize(event: PackageReinitialized, cause: Cause) -> Job:
    """The job of a reinitialization; edition is the one that begins."""
    return Job(
        package_id=event.package_id,
        edition=event.edition,
        kind=JobKind.REINITIALIZE,
        campaign_id=event.campaign_id,
        cause=cause,
    )


def progress(job: Job) -> CancellationProgressed:
    """How far a cancel has got."""
    return CancellationProgressed(
        package_id=job.package_id,
        edition=job.edition,
        service=SERVICE,
        done=job.visited,
        expected=max(job.expected, job.visited),
    )


def report(job: Job) -> PackageCampaignsCanceled:
    """What a cancel came to."""
    return PackageCampaignsCanceled(
        package_id=job.package_id,
        edition=job.edition,
        campaigns=job.campaigns,
        processes_stopped=job.processes_stopped,
        too_late=job.too_late,
    )
