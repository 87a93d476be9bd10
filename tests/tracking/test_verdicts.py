"""What the read model expects of a command is what the services decide."""

import pytest

from contracts import names
from services.campaigns import domain as campaigns
from services.orders import domain as orders
from services.packages import domain as packages
from services.tracking import verdicts

THEIRS = {
    names.short_type(kind.TYPE): {str(status) for status in allowed}
    for table in (packages.ALLOWED, orders.ALLOWED, campaigns.ALLOWED)
    for kind, allowed in table.items()
}
TARGETS = {
    names.short_type(kind.TYPE): str(status)
    for table in (packages.TARGET, orders.TARGET, campaigns.TARGET)
    for kind, status in table.items()
}


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_a_command_is_expected_from_the_statuses_that_its_service_allows(name: str) -> None:
    """Or a check would promise what is refused."""
    assert {str(status) for status in verdicts.ALLOWED[name]} == THEIRS[name]


def test_a_command_is_expected_to_lead_where_it_does() -> None:
    """Else what is so already would be called a change."""
    assert {name: str(status) for name, status in verdicts.TARGET.items()} == TARGETS


def test_a_package_can_be_edited_when_its_service_allows_it() -> None:
    """With the same fields locked."""
    assert verdicts.FREELY_EDITED == packages.FREELY_EDITED
    assert verdicts.EDITABLE == packages.FREELY_EDITED | packages.EDITED_WITHIN_LIMITS
    assert verdicts.ALWAYS_EDITABLE == packages.ALWAYS_EDITABLE
    assert verdicts.ONLY_LATER == packages.ONLY_LATER
