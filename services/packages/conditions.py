"""What must hold of the terms of a package, and of the campaign that carries it. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.campaigns import CampaignKind
from contracts.envelope import FieldError
from contracts.message import too_heavy
from contracts.outcomes import RefusalCode
from contracts.packages import DistributionLevel, PackageTerms
from services.runtime.decision import Refused, Unknown

HEAVY = frozenset({"audience", "documents", "reviewers", "description", "notification_message"})
"""Every event carries the whole state, perhaps with a comment, and one message holds 1 MiB."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What packages knows of a campaign; canceled_by is the package and edition that did it."""

    campaign_id: str
    version: int
    kind: CampaignKind
    canceled: bool = False
    canceled_by: tuple[str, int] | None = None


def check(
    terms: PackageTerms, campaign: Campaign | None, package_id: str, edition: int
) -> Refused | None:
    """What must hold of a package that is made or freely edited."""
    if campaign is None:
        return unknown_campaign(terms.campaign_id)
    if not is_alive(campaign, package_id, edition):
        return campaign_canceled(package_id, campaign)
    local = terms.distribution_level == DistributionLevel.LOCAL
    wanted = CampaignKind.TEMPLATE if local else CampaignKind.REFERENCE
    if campaign.kind != wanted:
        return _invalid(
            "campaign_id",
            f"must name a {wanted} campaign for a package of level {terms.distribution_level}; "
            f"{campaign.campaign_id} is a {campaign.kind}",
        )
    if terms.several_orders and not local:
        return _invalid("several_orders", "is for local packages only")
    return check_dates(terms)


def check_dates(terms: PackageTerms) -> Refused | None:
    """Each date that does not fit, all at once."""
    if terms.starts_at >= terms.ends_at:
        text = f"must be before ends_at, {shown(terms.ends_at)}, not {shown(terms.starts_at)}"
        return _invalid("starts_at", text)
    outside = [
        (name, value)
        for name in ("available_at", "registration_deadline", "personalization_deadline")
        if (value := getattr(terms, name)) and not terms.starts_at <= value <= terms.ends_at
    ]
    if not outside:
        return None
    within = f"must be from {shown(terms.starts_at)} to {shown(terms.ends_at)}"
    return _invalid_fields(
        *(FieldError(f"data.{name}", f"{within}, not {shown(value)}") for name, value in outside)
    )


def check_size(terms: PackageTerms, changed: Collection[str]) -> Refused | None:
    """Every event carries the whole package."""
    error = too_heavy(terms, HEAVY, changed)
    return _invalid_fields(error) if error else None


def is_alive(campaign: Campaign, package_id: str, edition: int) -> bool:
    """A cancel by an earlier edition of the same package is looked past.

    The campaign is reinitialized with the package; that news may still be on its way.
    """
    if not campaign.canceled:
        return True
    by = campaign.canceled_by
    return by is not None and by[0] == package_id and by[1] < edition


def unknown_campaign(campaign_id: str) -> Unknown:
    """The campaign has not been heard of."""
    text = f"campaign {campaign_id} is not known; create it with campaign.create first"
    return Unknown(RefusalCode.UNKNOWN_CAMPAIGN, text)


def campaign_canceled(package_id: str, campaign: Campaign, version: int | None = None) -> Refused:
    """The campaign can no longer carry this package."""
    return Refused(
        RefusalCode.CAMPAIGN_CANCELED,
        f"campaign {campaign.campaign_id} of package {package_id} is canceled; "
        "reinitialize it or name another campaign",
        version,
    )


def _invalid(field: str, text: str) -> Refused:
    return _invalid_fields(FieldError(f"data.{field}", text))


def _invalid_fields(*errors: FieldError) -> Refused:
    text = "; ".join(f"{error.field} {error.message}" for error in errors)
    return Refused(RefusalCode.INVALID, text, errors=errors)


def shown(moment: datetime | None) -> str:
    """A moment as a sentence shows it."""
    return "none" if moment is None else moment.isoformat().replace("+00:00", "Z")
