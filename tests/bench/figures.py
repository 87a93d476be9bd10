"""Figures of several runs, what they are compared with, and how they are shown."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Spread:
    """The same figure, measured several times."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure and its limit; goal is what budgets ask, in words."""

    figure: str
    limit: str
    goal: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.figure} / {self.limit}"


class Report:
    """What a bench has found; it judges nothing."""

    def __init__(self, bench: str, console: Console) -> None:
        """Nothing measured yet."""
        self.bench = bench
        self.console = console
        self._samples: dict[str, list[float]] = {}
        self._units: dict[str, str] = {}
        self._ratios: list[Ratio] = []
        self._notes: list[str] = []

    def add(self, figure: str, value: float, unit: str) -> None:
        """One run's value of a figure."""
        self._samples.setdefault(figure, []).append(value)
        self._units[figure] = unit
        self.console.print(f"  {figure}: {shown(value)} {unit}", style="dim", highlight=False)

    def compare(self, figure: str, limit: str, goal: str = "") -> None:
        """Show a figure beside its limit; the ratio is that of their medians."""
        self._ratios.append(Ratio(figure, limit, goal))

    def note(self, sentence: str) -> None:
        """Something that a reader of the figures must know."""
        self._notes.append(sentence)

    def figures(self) -> dict[str, Spread]:
        """Every figure over all runs."""
        return {name: spread(samples) for name, samples in self._samples.items()}

    def ratios(self) -> dict[str, float]:
        """Every ratio whose two sides were measured."""
        medians = {name: one.median for name, one in self.figures().items()}
        return {
            ratio.name: medians[ratio.figure] / medians[ratio.limit]
            for ratio in self._ratios
            if ratio.figure in medians and medians.get(ratio.limit)
        }

    def as_json(self) -> str:
        """The report as one line; figures have six significant digits."""
        figures = {
            name: {"min": _short(one.min), "median": _short(one.median), "max": _short(one.max)}
            for name, one in self.figures().items()
        }
        ratios = {name: _short(value) for name, value in self.ratios().items()}
        return json.dumps({"bench": self.bench, "figures": figures, "ratios": ratios})

    def show(self) -> None:
        """Print what was found."""
        self.console.print(self._table(), self._comparison())
        for sentence in self._notes:
            self.console.print(sentence, highlight=False)

    def _table(self) -> Table:
        table = Table("figure", "unit", title=self.bench, title_justify="left")
        for name in ("min", "median", "max"):
            table.add_column(name, justify="right")
        for figure, one in self.figures().items():
            cells = (shown(value) for value in (one.min, one.median, one.max))
            table.add_row(figure, self._units[figure], *cells)
        return table

    def _comparison(self) -> Table:
        table = Table("figure / limit", "goal")
        table.add_column("ratio of medians", justify="right")
        found = self.ratios()
        for ratio in self._ratios:
            if ratio.name in found:
                table.add_row(ratio.name, ratio.goal, f"{found[ratio.name]:.2f}")
        return table


def spread(samples: Sequence[float]) -> Spread:
    """The least, the middle and the most of some runs."""
    return Spread(min(samples), statistics.median(samples), max(samples))


def percentile(samples: Sequence[float], share: float) -> float:
    """The value that this share of the samples does not pass; 0.99 of a hundred is the last."""
    ordered = sorted(samples)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def shown(value: float) -> str:
    """A figure as people read it: whole where it is large, else three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _short(value: float) -> float:
    return float(f"{value:.6g}")
