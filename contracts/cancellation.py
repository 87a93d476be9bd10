"""How the cancel of a package goes: what each service reports, and what packages announces."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.fields import Id, Version, Whole
from contracts.message import Event
from contracts.values import Value


class OrdersReport(Value):
    """What the cancel did to orders."""

    canceled: Whole
    already_final: Whole


class CampaignsReport(Value):
    """What the cancel did to campaigns and processes; too_late are those that had ended before."""

    campaigns: Whole
    processes_stopped: Whole
    too_late: Whole


class NotificationsReport(Value):
    """Who was told of the cancel, who could not be, and what no longer had to be told."""

    notified: Whole
    superseded: Whole
    failed: Whole


class CancellationEvent(Event):
    """Something about the cancel of one edition of a package."""

    SUBJECT: ClassVar[str] = "package_id"
    SUBJECT_IN_DATA: ClassVar[bool] = False

    package_id: Id
    edition: Version


class PackageOrdersCanceled(OrdersReport, CancellationEvent):
    """Orders is done with a cancel."""

    TYPE: ClassVar[str] = "relais.package.orders_canceled.v1"


class PackageCampaignsCanceled(CampaignsReport, CancellationEvent):
    """Campaigns is done with a cancel."""

    TYPE: ClassVar[str] = "relais.package.campaigns_canceled.v1"


class PackageEntitiesNotified(NotificationsReport, CancellationEvent):
    """Notifications is done with a cancel."""

    TYPE: ClassVar[str] = "relais.package.entities_notified.v1"


class CancellationProgressed(CancellationEvent):
    """How far one service has got with a cancel."""

    TYPE: ClassVar[str] = "relais.package.cancellation_progressed.v1"

    service: Id
    done: Whole
    expected: Whole


class CancellationCompleted(CancellationEvent):
    """Every service is done with a cancel; seconds since it was accepted."""

    TYPE: ClassVar[str] = "relais.package.cancellation_completed.v1"

    orders: OrdersReport
    campaigns: CampaignsReport
    notifications: NotificationsReport
    seconds: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class CancellationStalled(CancellationEvent):
    """A cancel takes too long; the services it waits for, and what the others reported."""

    TYPE: ClassVar[str] = "relais.package.cancellation_stalled.v1"

    waiting_for: Annotated[list[Id], Field(min_length=1, max_length=100)]
    orders: OrdersReport | None = None
    campaigns: CampaignsReport | None = None
    notifications: NotificationsReport | None = None
