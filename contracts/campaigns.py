"""What is said to and by the campaigns service about campaigns and their processes."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field

from contracts.fields import (
    Comment,
    Id,
    Instant,
    Label,
    Name,
    Prose,
    Text,
    Version,
    Whole,
    or_none,
)
from contracts.message import Command, StateEvent
from contracts.packages import DistributionLevel
from contracts.values import Known, OpenEnum, Value


class CampaignKind(OpenEnum):
    """What a campaign is for; local and child campaigns are made from orders."""

    TEMPLATE = "template"
    REFERENCE = "reference"
    LOCAL = "local"
    CHILD = "child"


class CampaignStatus(OpenEnum):
    """Where a campaign is in its life."""

    BEING_EDITED = "being_edited"
    STARTED = "started"
    FINISHED = "finished"
    CANCELED = "canceled"


class ProcessKind(OpenEnum):
    """What a process does."""

    WORKFLOW = "workflow"
    DELIVERY = "delivery"


class ProcessStatus(OpenEnum):
    """Whether a process must run, runs, or has run."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


class ProcessSpec(Value):
    """A process that a campaign is made with."""

    process_id: Id
    kind: Known[ProcessKind]
    label: Label
    channel: Name | None = None


def _distinct(processes: list[ProcessSpec]) -> list[ProcessSpec]:
    seen: set[str] = set()
    for process in processes:
        if process.process_id in seen:
            raise ValueError(
                f"must have distinct process ids; '{process.process_id}' is there twice"
            )
        seen.add(process.process_id)
    return processes


Processes: TypeAlias = (
    Annotated[
        list[ProcessSpec],
        Field(max_length=1000),
        AfterValidator(_distinct),
        AfterValidator(or_none),
    ]
    | None
)
ReportedStatus = Literal[
    ProcessStatus.RUNNING,
    ProcessStatus.PAUSED,
    ProcessStatus.FINISHED,
    ProcessStatus.FAILED,
]


class CampaignCommand(Command):
    """A command about one campaign."""

    SUBJECT: ClassVar[str] = "campaign_id"

    campaign_id: Id


class CreateCampaign(CampaignCommand):
    """Make a template or a reference campaign."""

    TYPE: ClassVar[str] = "relais.campaign.create.v1"

    label: Label
    kind: Literal[CampaignKind.TEMPLATE, CampaignKind.REFERENCE]
    distribution_level: Known[DistributionLevel]
    program: Name | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    processes: Processes = None
    max_documents: Whole | None = None


class StartCampaign(CampaignCommand):
    """Let the processes of a campaign run."""

    TYPE: ClassVar[str] = "relais.campaign.start.v1"


class CancelCampaign(CampaignCommand):
    """Stop a campaign and its processes."""

    TYPE: ClassVar[str] = "relais.campaign.cancel.v1"

    comment: Comment


class ReinitializeCampaign(CampaignCommand):
    """Make a canceled campaign ready to be used again."""

    TYPE: ClassVar[str] = "relais.campaign.reinitialize.v1"


class ReportProcess(CampaignCommand):
    """Say what a process does; sent by the engine that runs it."""

    TYPE: ClassVar[str] = "relais.process.report.v1"

    process_id: Id
    status: ReportedStatus
    detail: Prose | None = None


class CampaignState(Value):
    """Everything that others may know of a campaign."""

    campaign_id: Id
    label: Name
    kind: CampaignKind
    distribution_level: DistributionLevel
    program: Name | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    max_documents: Whole | None = None
    status: CampaignStatus
    version: Version
    package_id: Id | None = None
    order_id: Id | None = None
    parent_id: Id | None = None
    process_ids: list[Id] | None = None
    canceled_at: Instant | None = None
    changed_at: Instant
    changed_by: Text | None = None


class CampaignEvent(CampaignState, StateEvent[CampaignState]):
    """Something happened to a campaign; this is its state since.

    Caused by a package or an order, its partition key is the package id, which is not told by
    its own fields: whoever emits it gives the key.
    """

    STATE = CampaignState
    SUBJECT: ClassVar[str] = "campaign_id"


class CampaignCreated(CampaignEvent):
    """A campaign was made."""

    TYPE: ClassVar[str] = "relais.campaign.created.v1"


class CampaignStarted(CampaignEvent):
    """The processes of a campaign run."""

    TYPE: ClassVar[str] = "relais.campaign.started.v1"


class CanceledBy(Value):
    """The package, and its edition, whose cancel canceled a campaign."""

    package_id: Id
    edition: Version


class CampaignCanceled(CampaignEvent):
    """A campaign was canceled and its processes stopped."""

    TYPE: ClassVar[str] = "relais.campaign.canceled.v1"

    canceled_by: CanceledBy | None = None


class CampaignReinitialized(CampaignEvent):
    """A canceled campaign is ready to be used again."""

    TYPE: ClassVar[str] = "relais.campaign.reinitialized.v1"


class CampaignFinished(CampaignEvent):
    """The last process of a started campaign has ended."""

    TYPE: ClassVar[str] = "relais.campaign.finished.v1"


class CampaignSnapshot(CampaignEvent):
    """The present state of a campaign, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.campaign.snapshot.v1"


class ProcessState(Value):
    """Everything that others may know of a process."""

    process_id: Id
    campaign_id: Id
    kind: ProcessKind
    label: Name
    channel: Name | None = None
    status: ProcessStatus
    version: Version
    detail: Prose | None = None
    changed_at: Instant


class ProcessEvent(ProcessState, StateEvent[ProcessState]):
    """Something happened to a process; this is its state since.  Its key is as its campaign's."""

    STATE = ProcessState
    SUBJECT: ClassVar[str] = "campaign_id"


class ProcessStarted(ProcessEvent):
    """A process must run, or runs again."""

    TYPE: ClassVar[str] = "relais.process.started.v1"


class ProcessPaused(ProcessEvent):
    """A process was paused."""

    TYPE: ClassVar[str] = "relais.process.paused.v1"


class ProcessFinished(ProcessEvent):
    """A process did its work."""

    TYPE: ClassVar[str] = "relais.process.finished.v1"


class ProcessFailed(ProcessEvent):
    """A process ended without doing its work."""

    TYPE: ClassVar[str] = "relais.process.failed.v1"


class ProcessStopped(ProcessEvent):
    """A process must not run."""

    TYPE: ClassVar[str] = "relais.process.stopped.v1"


class ProcessSnapshot(ProcessEvent):
    """The present state of a process, for a reader that begins; only on request."""

    TYPE: ClassVar[str] = "relais.process.snapshot.v1"
