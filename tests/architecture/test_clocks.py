"""Where time comes from: a service asks its own database, never the machine that it runs on."""

import pytest

from tests.architecture.project import ROOT, SERVICES, calls

WALL_CLOCK = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
}
WRITES_TABLES = SERVICES / "cli/parked.py"
"""Of the command line: the rest shows and measures."""
FILES = sorted(
    str(path.relative_to(ROOT))
    for path in SERVICES.rglob("*.py")
    if "cli" not in path.relative_to(SERVICES).parts or path == WRITES_TABLES
)


@pytest.mark.parametrize("path", FILES)
def test_a_service_reads_no_clock_of_its_machine(path: str) -> None:
    """Workers would compare their clocks; how long something took, a monotonic one tells."""
    assert not {".".join(call.split(".")[-2:]) for call in calls(ROOT / path)} & WALL_CLOCK
