"""Figures are shown as they were measured."""

import json

import pytest
from rich.console import Console

from tests.bench.figures import Report, percentile, shown


@pytest.fixture
def report() -> Report:
    """Three runs of a figure and its limit."""
    report = Report("rush", Console(quiet=True))
    for ours, limit in ((8.0, 10.0), (6.0, 20.0), (7.0, 30.0)):
        report.add("ours", ours, "messages/s")
        report.add("limit", limit, "messages/s")
    report.compare("ours", "limit")
    return report


class TestAReport:
    """Several runs in one."""

    def test_as_json_has_the_least_the_middle_and_the_most(self, report: Report) -> None:
        """Ratios are those of medians, not medians of ratios."""
        assert json.loads(report.as_json()) == {
            "bench": "rush",
            "figures": {
                "ours": {"min": 6, "median": 7, "max": 8},
                "limit": {"min": 10, "median": 20, "max": 30},
            },
            "ratios": {"ours / limit": 0.35},
        }

    def test_leaves_out_what_was_not_measured(self, report: Report) -> None:
        """A peer that could not be installed has no ratio."""
        report.compare("ours", "a peer")
        assert list(report.ratios()) == ["ours / limit"]


class TestAFigure:
    """One number."""

    def test_of_a_share_is_one_that_was_measured(self) -> None:
        """The 99th of a hundred is passed by one; of few samples it is the largest."""
        assert percentile(range(100), 0.99) == 99
        assert percentile(range(200), 0.5) == 100
        assert percentile([5.0], 0.99) == 5

    @pytest.mark.parametrize(
        ("value", "text"), [(12345.6, "12,346"), (99.94, "99.9"), (1.234, "1.23")]
    )
    def test_is_shown_with_the_digits_that_matter(self, value: float, text: str) -> None:
        """Whole where it is large, else three digits."""
        assert shown(value) == text
