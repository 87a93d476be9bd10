"""The commands that ask the API of an installation: their arguments."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Annotated, Any

import typer

from services.cli.failures import guarded

app = typer.Typer()
notifications_app = typer.Typer(
    no_args_is_help=True, help="List notifications, and send failed ones again."
)
app.add_typer(notifications_app, name="notifications")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")]
All = Annotated[bool, typer.Option("--all", help="Every one that matches, page after page.")]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="At most so many; 50 without it.")
]
Status = Annotated[str | None, typer.Option(help="Those with this status.")]
Late = Annotated[bool, typer.Option("--late", help="Those that are late, the longest first.")]
Text_ = Annotated[str | None, typer.Option("--text", "-q", help="Text in the id or the label.")]
Sort = Annotated[str | None, typer.Option(help="Such as newest, oldest or modified.")]
From = Annotated[str | None, typer.Option("--from", help="From this RFC 3339 time on.")]
To = Annotated[str | None, typer.Option("--to", help="Before this RFC 3339 time.")]
PackageOption = Annotated[str | None, typer.Option("--package", help="Those of this package.")]
EntityOption = Annotated[str | None, typer.Option("--entity", help="Those of this entity.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Those of this campaign.")]
Edition = Annotated[int | None, typer.Option(min=1, help="Those of this edition.")]
Kind = Annotated[str | None, typer.Option(help="Those of this kind.")]


@app.command()
def packages(
    status: Status = None,
    late: Late = False,
    closed: Annotated[
        bool, typer.Option("--closed", help="Those published that take no more orders.")
    ] = False,
    folder: Annotated[str | None, typer.Option(help="Those in this folder.")] = None,
    level: Annotated[str | None, typer.Option(help="Those of this distribution level.")] = None,
    campaign: CampaignOption = None,
    text: Text_ = None,
    sort: Sort = None,
    since: From = None,
    until: To = None,
    limit: Limit = None,
    all_: All = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """List packages."""
    filters = {
        "status": status,
        "late": yes(late),
        "closed": yes(closed),
        "folder": folder,
        "level": level,
        "campaign": campaign,
        "q": text,
        "sort": sort,
        "from": since,
        "to": until,
    }
    return _list("PACKAGES", filters, limit, all_=all_, as_json=as_json, as_csv=as_csv)


@app.command()
def orders(
    status: Status = None,
    late: Late = False,
    entity: EntityOption = None,
    package: PackageOption = None,
    edition: Edition = None,
    text: Text_ = None,
    sort: Sort = None,
    since: From = None,
    until: To = None,
    limit: Limit = None,
    all_: All = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """List orders."""
    filters = {
        "status": status,
        "late": yes(late),
        "entity": entity,
        "package": package,
        "edition": edition,
        "q": text,
        "sort": sort,
        "from": since,
        "to": until,
    }
    return _list("ORDERS", filters, limit, all_=all_, as_json=as_json, as_csv=as_csv)


@app.command()
def campaigns(
    status: Status = None,
    kind: Kind = None,
    program: Annotated[str | None, typer.Option(help="Those of this program.")] = None,
    text: Text_ = None,
    sort: Sort = None,
    limit: Limit = None,
    all_: All = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """List campaigns."""
    filters = {"status": status, "kind": kind, "program": program, "q": text, "sort": sort}
    return _list("CAMPAIGNS", filters, limit, all_=all_, as_json=as_json, as_csv=as_csv)


@app.command()
def entities(
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Those that are, or are not.")
    ] = None,
    text: Text_ = None,
    sort: Sort = None,
    limit: Limit = None,
    all_: All = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """List entities."""
    filters = {
        "active": None if active is None else str(active).lower(),
        "q": text,
        "sort": sort,
    }
    return _list("ENTITIES", filters, limit, all_=all_, as_json=as_json, as_csv=as_csv)


@notifications_app.command("list")
def notifications_list(
    failed: Annotated[bool, typer.Option("--failed", help="The same as --status failed.")] = False,
    status: Status = None,
    kind: Kind = None,
    channel: Annotated[str | None, typer.Option(help="Those of this channel.")] = None,
    entity: EntityOption = None,
    package: PackageOption = None,
    limit: Limit = None,
    all_: All = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """List notifications, the latest first."""
    filters = {
        "status": status or ("failed" if failed else None),
        "kind": kind,
        "channel": channel,
        "entity": entity,
        "package": package,
    }
    return _list("NOTIFICATIONS", filters, limit, all_=all_, as_json=as_json, as_csv=as_csv)


@notifications_app.command("retry")
def notifications_retry(
    package: Annotated[str, typer.Argument(help="The package that they are about.")],
    ids: Annotated[
        list[str] | None, typer.Argument(help="Some; without them, all failed ones.")
    ] = None,
    edition: Edition = None,
) -> int:
    """Send failed notifications about a package again."""

    async def work() -> int:
        from services.cli import commands

        data: dict[str, Any] = {"notification_ids": ids} if ids else {"failed": True}
        if edition is not None:
            data["edition"] = edition
        return await commands.send("notification.retry", package, data)

    return awaited(work())


@app.command()
def show(id: Annotated[str, typer.Argument(help="Of anything.")], as_json: Json = False) -> int:
    """Show everything that is known of one thing, whatever it is."""
    from services.cli import things

    return awaited(things.show(id, as_json=as_json))


@app.command()
def why(
    id: Annotated[
        str, typer.Argument(help="Of anything; of a process CAMPAIGN/PROCESS, SERVICE/NUMBER.")
    ],
    as_json: Json = False,
) -> int:
    """Say why a thing is as it is: who asked for what, and which service did what."""
    from services.cli import things

    return awaited(things.why(id, as_json=as_json))


@app.command()
def preview(
    package: Annotated[str, typer.Argument(help="The id of a package.")], as_json: Json = False
) -> int:
    """Say what the cancel of a package would do, without doing it."""
    from services.cli import things

    return awaited(things.preview(package, as_json=as_json))


@app.command()
def workers(as_json: Json = False) -> int:
    """Show the workers of every service, and how they are."""
    from services.cli import things

    return awaited(things.workers(as_json=as_json))


@app.command()
def watch(package: Annotated[str, typer.Argument(help="The id of a package.")]) -> int:
    """Follow the cancel of a package, service by service, until it is complete."""
    from services.cli import watch as work

    return awaited(work.watch(package))


def yes(flag: bool) -> str | None:
    """A filter that is there or is not."""
    return "true" if flag else None


def _list(
    name: str,
    filters: Mapping[str, str | int | None],
    limit: int | None,
    *,
    all_: bool,
    as_json: bool,
    as_csv: bool,
) -> int:
    async def work() -> int:
        from services.cli import lists

        how = lists.manner(limit, all_=all_, as_json=as_json, as_csv=as_csv)
        return await lists.show(getattr(lists, name), filters, how)

    return awaited(work())


def awaited(work: Coroutine[None, None, int]) -> int:
    """Do the work of a command, and return its exit code."""
    return guarded(lambda: asyncio.run(work))
