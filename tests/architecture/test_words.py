"""The runtime knows messages, lanes and tables; of the business it knows no word."""

import re
from pathlib import Path

import pytest

from tests.architecture.project import RUNTIME

# Not in the list: words that are the machine's as well: order, delivery, process, cancellation.
BUSINESS = (
    "package",
    "campaign",
    "entity",
    "entities",
    "audience",
    "edition",
    "reviewer",
    "workflow",
    "agency",
    "catalogue",
    "reinitiali[sz]e",
    "order_?id",
    "approv(?:e|al)",
)
WORD = re.compile(rf"(?<![a-z])(?:{'|'.join(BUSINESS)})(?:s|d|_\w+)?(?![a-z])", re.IGNORECASE)

FILES = sorted([*RUNTIME.rglob("*.py"), *RUNTIME.glob("sql/*.sql")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_the_runtime_has_no_word_of_the_business(path: Path) -> None:
    """What it must say of a message of the business is said by the contracts."""
    assert not WORD.findall(path.read_text())


@pytest.mark.parametrize("text", ["package_id", "Campaigns", "the audience", "ENTITY", "approved"])
def test_a_word_is_found_in_any_form(text: str) -> None:
    """Otherwise the rule would hold nothing."""
    assert WORD.search(text)


@pytest.mark.parametrize("text", ["identity", "in order", "a delivery", "processes", "expedition"])
def test_a_word_of_the_machine_is_none(text: str) -> None:
    """Or of another word a part."""
    assert not WORD.search(text)
