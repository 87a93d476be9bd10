"""Random histories: what five services may say of packages, orders, campaigns and the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from contracts import catalogue, envelope, names
from contracts.campaigns import (
    CampaignCanceled,
    CampaignCreated,
    CampaignReinitialized,
    CampaignSnapshot,
    CampaignStarted,
    CampaignState,
    CanceledBy,
    ProcessSnapshot,
    ProcessStarted,
    ProcessState,
    ProcessStopped,
)
from contracts.cancellation import (
    CampaignsReport,
    CancellationCompleted,
    CancellationProgressed,
    NotificationsReport,
    OrdersReport,
    PackageCampaignsCanceled,
    PackageEntitiesNotified,
    PackageOrdersCanceled,
)
from contracts.directory import (
    EntityDeactivated,
    EntityRegistered,
    EntitySnapshot,
    EntityState,
    EntityUpdated,
)
from contracts.envelope import Envelope
from contracts.message import Event
from contracts.notifications import (
    NotificationFailed,
    NotificationSent,
    NotificationSnapshot,
    NotificationState,
    NotificationSuperseded,
)
from contracts.orders import (
    OrderApproved,
    OrderCanceled,
    OrderEdited,
    OrderPlaced,
    OrderRef,
    OrdersAvailable,
    OrdersCanceled,
    OrdersEvent,
    OrderSnapshot,
    OrdersPlaced,
    OrderState,
)
from contracts.outcomes import CommandRefused, CommandUnchanged, MessageParked, MessageReleased
from contracts.packages import (
    PackageApproved,
    PackageCanceled,
    PackageCreated,
    PackageEdited,
    PackagePublished,
    PackageReinitialized,
    PackageSnapshot,
    PackageState,
    PackageSubmitted,
)

BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ENTITIES = ("OU1", "OU2", "OU3", "OU4")
OPEN = ("ordered", "approved", "available")


@dataclass(frozen=True, slots=True)
class Told:
    """One event with its envelope, as a service has emitted it."""

    envelope: Envelope
    event: Event


@dataclass
class History:
    """What happened, in order; and the states that it has left behind, as the services have them.

    placed, approved and so on are kept in the states themselves.
    """

    rng: Random
    now: datetime = BEGIN
    actor: str | None = None
    told: list[Told] = field(default_factory=list)
    packages: dict[str, PackageState] = field(default_factory=dict)
    orders: dict[str, OrderState] = field(default_factory=dict)
    campaigns: dict[str, CampaignState] = field(default_factory=dict)
    processes: dict[tuple[str, str], ProcessState] = field(default_factory=dict)
    entities: dict[str, EntityState] = field(default_factory=dict)
    notifications: dict[str, NotificationState] = field(default_factory=dict)
    _numbers: int = 0

    def tell(
        self, service: str, event: Event, cause: str | None, key: str | None = None, run: int = 0
    ) -> str:
        """Emit an event; its id."""
        id = f"{run or self.rng.getrandbits(80):020x}-{self._number()}"
        self.told.append(
            Told(
                Envelope(
                    specversion="1.0",
                    id=id,
                    source=names.source(service),
                    type=event.wire_type,
                    subject=event.subject,
                    time=self.now,
                    partitionkey=key or event.key,
                    correlationid=cause,
                    causationid=cause,
                    actor=self.actor,
                ),
                event,
            )
        )
        return id

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def command(self) -> str:
        """The id of a new command."""
        return f"command-{self._number()}"

    def step(self) -> None:
        """Let one thing happen."""
        self.now += timedelta(seconds=self.rng.randint(1, 500))
        self.actor = self.rng.choice(["m.durand", None])
        self.rng.choice(STEPS)(self)

    def changed(self, version: int) -> dict[str, Any]:
        """What every change of a thing sets."""
        return {"version": version + 1, "changed_at": self.now, "changed_by": self.actor}

    def stepped(self, version: int) -> dict[str, Any]:
        """What every change of a process or an entity sets, which do not say who made it."""
        return {"version": version + 1, "changed_at": self.now}


def history(rng: Random, steps: int) -> History:
    """A history of so many steps."""
    made = History(rng)
    for _ in range(steps):
        made.step()
    return made


def _package(h: History) -> None:
    id = f"CAT{h.rng.randint(1, 3)}"
    known = h.packages.get(id)
    command = h.command()
    if known is None:
        state = PackageState(
            package_id=id,
            label=f"Package {id}",
            distribution_level="collaborative_simple",
            campaign_id="OP1",
            folder=h.rng.choice([None, "Winter"]),
            audience=h.rng.choice([None, ["OU1", "OU2"]]),
            starts_at=BEGIN - DAY,
            ends_at=BEGIN + 30 * DAY,
            registration_deadline=h.rng.choice([None, BEGIN + DAY]),
            status="being_edited",
            edition=1,
            version=1,
            created_at=h.now,
            changed_at=h.now,
        )
        h.packages[id] = state
        h.tell("packages", PackageCreated.of(state), command)
        return
    more = h.changed(known.version)
    event: Any
    match known.status, h.rng.random():
        case "canceled" | "published", p if p < 0.4:
            edition = {"edition": known.edition + 1, "canceled_at": None}
            event = PackageReinitialized.of(known, status="being_edited", **edition, **more)
        case "canceled", _:
            return
        case _, p if p < 0.25:
            _cancel(h, known, command)
            return
        case "being_edited", p if p < 0.6:
            deadline = h.now + 3 * DAY
            event = PackageSubmitted.of(
                known, status="pending_approval", approval_deadline=deadline, **more
            )
        case "pending_approval", p if p < 0.8:
            event = PackageApproved.of(known, status="approved", approved_at=h.now, **more)
        case "approved", p if p < 0.8:
            event = PackagePublished.of(known, status="published", published_at=h.now, **more)
        case _:
            audience = h.rng.choice([None, ["OU1", "OU2"], ["OU1", "OU2", "OU3"]])
            label = f"Package {id}, {h.rng.randint(1, 9)}"
            event = PackageEdited.of(known, label=label, audience=audience, **more)
    h.packages[id] = event.state
    cause = h.tell("packages", event, command)
    if isinstance(event, PackagePublished):
        _subscribe(h, event.package_id, event.edition, cause)


def _subscribe(h: History, package_id: str, edition: int, cause: str) -> None:
    """Orders in automatic mode: only a packed event tells of them."""
    made = [
        OrderState(
            order_id=f"ORD{h._number()}",
            package_id=package_id,
            edition=edition,
            entity_id=entity,
            label="Automatic",
            status="approved",
            version=1,
            placed_at=h.now,
            approved_at=h.now,
            changed_at=h.now,
            changed_by=h.actor,
        )
        for entity in h.rng.sample(ENTITIES, h.rng.randint(0, 4))
    ]
    h.orders.update((one.order_id, one) for one in made)
    _tell_packed(h, OrdersPlaced, package_id, edition, [o.order_id for o in made], cause)


def _tell_packed(
    h: History,
    kind: type[OrdersEvent],
    package_id: str,
    edition: int,
    ids: list[str],
    cause: str,
) -> None:
    """Tell of orders in packs of two or three."""
    run = h.rng.getrandbits(80)
    while ids:
        part, ids = ids[:3], ids[3:]
        refs = [
            OrderRef(order_id=id, entity_id=h.orders[id].entity_id, version=h.orders[id].version)
            for id in part
        ]
        event = kind(package_id=package_id, edition=edition, orders=refs)
        h.tell("orders", event, cause, run=run)


def _cancel(h: History, known: PackageState, command: str) -> None:
    """The cancel of a package, and all of its fan-out."""
    id, edition = known.package_id, known.edition
    event = PackageCanceled.of(
        known,
        status="canceled",
        canceled_at=h.now,
        decision_comment="withdrawn",
        **h.changed(known.version),
    )
    h.packages[id] = event.state
    cause = h.tell("packages", event, command)
    mine = [o for o in h.orders.values() if (o.package_id, o.edition) == (id, edition)]
    open_ = [o for o in mine if o.status in OPEN]
    for order in open_:
        more = {**h.changed(order.version), "status": "canceled", "canceled_at": h.now}
        h.orders[order.order_id] = OrderCanceled.of(order, **more).state
    _tell_packed(h, OrdersCanceled, id, edition, [o.order_id for o in open_], cause)
    done = CancellationProgressed(
        package_id=id, edition=edition, service="orders", done=len(open_), expected=len(open_)
    )
    h.tell("orders", done.model_copy(update={"done": 0}), cause)
    h.tell("orders", done, cause)
    orders = OrdersReport(canceled=len(open_), already_final=len(mine) - len(open_))
    campaigns = CampaignsReport(campaigns=1, processes_stopped=0, too_late=0)
    told = NotificationsReport(notified=2, superseded=0, failed=0)
    _cancel_campaign(h, "OP1", CanceledBy(package_id=id, edition=edition), cause, id)
    about = {"package_id": id, "edition": edition}
    h.tell("orders", PackageOrdersCanceled(**about, **orders.__dict__), cause)
    h.tell("campaigns", PackageCampaignsCanceled(**about, **campaigns.__dict__), cause)
    for entity in ENTITIES[:2]:
        _notify(h, "package_canceled", id, edition, entity, cause)
    h.tell("notifications", PackageEntitiesNotified(**about, **told.__dict__), cause)
    ended = CancellationCompleted(
        **about, orders=orders, campaigns=campaigns, notifications=told, seconds=0.5
    )
    h.tell("packages", ended, cause)


def _order(h: History) -> None:
    """A step of one order."""
    open_ = [o for o in h.orders.values() if o.status in OPEN]
    command = h.command()
    event: Any
    if not open_ or h.rng.random() < 0.3:
        state = OrderState(
            order_id=f"ORD{h._number()}",
            package_id=f"CAT{h.rng.randint(1, 3)}",
            edition=1,
            entity_id=h.rng.choice(ENTITIES),
            label="Windows",
            status="ordered",
            version=1,
            placed_at=h.now,
            approval_deadline=h.now + 3 * DAY,
            changed_at=h.now,
        )
        event = OrderPlaced.of(state)
    else:
        known = h.rng.choice(open_)
        more = h.changed(known.version)
        match known.status, h.rng.random():
            case _, p if p < 0.3:
                event = OrderEdited.of(known, label=f"Doors {h.rng.randint(1, 9)}", **more)
            case "ordered", p if p < 0.8:
                event = OrderApproved.of(known, status="approved", approved_at=h.now, **more)
            case "approved", _:
                more |= {"status": "available", "available_at": h.now, "campaign_id": "OP9"}
                h.orders[known.order_id] = OrderApproved.of(known, **more).state
                cause = f"{h.rng.getrandbits(80):020x}-0"
                ids = [known.order_id]
                _tell_packed(h, OrdersAvailable, known.package_id, known.edition, ids, cause)
                return
            case _:
                event = OrderCanceled.of(known, status="canceled", canceled_at=h.now, **more)
    h.orders[event.order_id] = event.state
    h.tell("orders", event, command)


def _campaign(h: History) -> None:
    """A step of a campaign, and of its process."""
    known = h.campaigns.get("OP1")
    command = h.command()
    if known is None:
        state = CampaignState(
            campaign_id="OP1",
            label="Winter",
            kind="reference",
            distribution_level="collaborative_simple",
            status="being_edited",
            version=1,
            process_ids=["WKF1"],
            changed_at=h.now,
        )
        h.campaigns["OP1"] = state
        h.processes["OP1", "WKF1"] = ProcessState(
            process_id="WKF1",
            campaign_id="OP1",
            kind="workflow",
            label="Targeting",
            status="pending",
            version=1,
            changed_at=h.now,
        )
        h.tell("campaigns", CampaignCreated.of(state), command)
        return
    more = h.changed(known.version)
    process = h.processes["OP1", "WKF1"]
    match known.status:
        case "being_edited":
            started = CampaignStarted.of(known, status="started", **more)
            h.campaigns["OP1"] = started.state
            h.tell("campaigns", started, command)
            run = ProcessStarted.of(process, status="running", **h.stepped(process.version))
            h.processes["OP1", "WKF1"] = run.state
            h.tell("campaigns", run, command)
        case "canceled":
            again = CampaignReinitialized.of(known, status="being_edited", **more)
            h.campaigns["OP1"] = again.state
            if process.status == "stopped":
                revived = {"status": "pending", **h.stepped(process.version)}
                h.processes["OP1", "WKF1"] = ProcessStarted.of(process, **revived).state
            h.tell("campaigns", again, command)
        case _:
            _cancel_campaign(h, "OP1", None, command, None)


def _cancel_campaign(
    h: History, id: str, by: CanceledBy | None, cause: str, key: str | None
) -> None:
    known = h.campaigns.get(id)
    if known is None or known.status == "canceled":
        return
    more = h.changed(known.version)
    event = CampaignCanceled.of(known, status="canceled", canceled_at=h.now, canceled_by=by, **more)
    h.campaigns[id] = event.state
    h.tell("campaigns", event, cause, key)
    process = h.processes[id, "WKF1"]
    if process.status in ("pending", "running"):
        stop = ProcessStopped.of(process, status="stopped", **h.stepped(process.version))
        h.processes[id, "WKF1"] = stop.state
        h.tell("campaigns", stop, cause, key)


def _entity(h: History) -> None:
    id = h.rng.choice(ENTITIES)
    known = h.entities.get(id)
    event: Any
    if known is None:
        state = EntityState(
            entity_id=id, label=f"Agency {id}", mailbox=id, active=True, version=1, changed_at=h.now
        )
        event = EntityRegistered.of(state)
    elif h.rng.random() < 0.5:
        label = f"Agency {h.rng.randint(1, 9)}"
        event = EntityUpdated.of(known, label=label, **h.stepped(known.version))
    else:
        event = EntityDeactivated.of(known, active=False, **h.stepped(known.version))
    h.entities[id] = event.state
    h.tell("directory", event, h.command())


def _notification(h: History) -> None:
    if failed := [n for n in h.notifications.values() if n.status == "failed"]:
        known = h.rng.choice(failed)
        more = {"status": "sent", "attempts": known.attempts + 1, "sent_at": h.now, "error": None}
        event = NotificationSent.of(known, **more)
        h.notifications[known.notification_id] = event.state
        h.tell("notifications", event, h.command())
        return
    cause = f"{h.rng.getrandbits(80):020x}-1"
    entity = h.rng.choice(ENTITIES)
    _notify(h, "package_available", f"CAT{h.rng.randint(1, 3)}", 1, entity, cause)


def _notify(h: History, kind: str, package_id: str, edition: int, entity: str, cause: str) -> None:
    status = h.rng.choice(["sent", "failed", "superseded"])
    state = NotificationState(
        notification_id=f"N{h._number()}",
        kind=kind,
        recipient_type="entity",
        recipient_id=entity,
        channel="mailbox",
        package_id=package_id,
        edition=edition,
        status=status,
        attempts=1,
        error="no" if status == "failed" else None,
        sent_at=h.now if status == "sent" else None,
    )
    h.notifications[state.notification_id] = state
    kinds: dict[str, Any] = {
        "sent": NotificationSent,
        "failed": NotificationFailed,
        "superseded": NotificationSuperseded,
    }
    h.tell("notifications", kinds[status].of(state), cause)


def _refused(h: History) -> None:
    kind = "relais.package.cancel.v1"
    event: Event = CommandRefused(
        about="CAT1",
        command_type=kind,
        code="wrong_status",
        message="CAT1 is canceled",
    )
    if h.rng.random() < 0.3:
        event = CommandUnchanged(about="CAT1", command_type=kind, message="already canceled")
    h.tell("packages", event, h.command(), key="CAT1")


def _parked(h: History) -> None:
    number = h._number()
    parked = MessageParked(
        service="orders",
        number=number,
        reason="failed",
        message_id="m1",
        type="relais.order.place.v1",
        error=f"KeyError: 'ORD{number}'",
        attempts=1,
        parked_at=h.now,
        body="{}",
        body_bytes=2,
    )
    h.tell("orders", parked, None)
    if h.rng.random() < 0.5:
        h.tell("orders", parked.model_copy(update={"attempts": 2, "error": "no"}), None)
    if h.rng.random() < 0.5:
        gone = MessageReleased(service="orders", number=number, how="discarded", comment="old")
        h.tell("orders", gone, None)


STEPS: tuple[Callable[[History], None], ...] = (
    *(_package, _package, _package, _order, _order, _order, _campaign, _campaign),
    *(_entity, _notification, _refused, _parked),
)


def snapshots(h: History, request_id: str) -> list[Told]:
    """The present states of everything, as services emit them on request."""
    before, h.told = h.told, []
    owners: tuple[tuple[str, Any, Any], ...] = (
        ("packages", PackageSnapshot, h.packages),
        ("orders", OrderSnapshot, h.orders),
        ("campaigns", CampaignSnapshot, h.campaigns),
        ("campaigns", ProcessSnapshot, h.processes),
        ("directory", EntitySnapshot, h.entities),
        ("notifications", NotificationSnapshot, h.notifications),
    )
    for service, kind, states in owners:
        for state in states.values():
            h.tell(service, kind.of(state), request_id)
    found, h.told = h.told, before
    return found


def raw(told: Told) -> bytes:
    """An event as it is on the broker."""
    e = told.envelope
    return envelope.write(
        id=e.id,
        source=e.source,
        type=e.type,
        subject=e.subject,
        data_json=told.event.data_json(),
        time=e.time,
        partitionkey=e.partitionkey,
        correlationid=e.correlationid,
        causationid=e.causationid,
        actor=e.actor,
    )


def read(told: Told) -> Told:
    """The same event as a reader gets it from the broker."""
    (element,) = envelope.read(raw(told))
    assert isinstance(element, Envelope)
    body = catalogue.EVENTS[element.type].read(element.subject, element.data)
    assert isinstance(body, Event)
    return Told(element, body)
