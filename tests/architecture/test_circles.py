"""No module imports itself by way of others, also not inside a function."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.project import ROOT

TOPS = ("contracts", "services", "infra")


def name_of(path: Path, root: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def graph_of(root: Path) -> dict[str, set[str]]:
    """The modules of ours that each module imports.

    Imports inside functions count: they only hide a circle. Those under TYPE_CHECKING count as
    well: who reads one of the two modules has to read the other. That Python imports the parent
    packages of a module first does not count, because no line of the module depends on them.
    """
    files = {name_of(path, root): path for top in TOPS for path in (root / top).rglob("*.py")}
    return {name: imported(path, set(files)) for name, path in files.items()}


def imported(path: Path, known: set[str]) -> set[str]:
    """The known modules that a file imports; of `from a import b` it is a.b where that is one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                each = {f"{module}.{name.name}" for name in names}
                found |= (each & known) or {module}
            case _:
                pass
    return found & known


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_none() -> None:
    """Every module can be understood with nothing but those below it."""
    assert circle(graph_of(ROOT)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from services import one",
        "import services.one",
        "from services.one import x",
        "def late():\n    from services.one import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from services import one",
    ],
)
def test_one_is_found(tmp_path: Path, line: str) -> None:
    """In whatever way a module imports another that imports it."""
    (tmp_path / "services").mkdir()
    (tmp_path / "services/__init__.py").touch()
    (tmp_path / "services/one.py").write_text("from services.two import y\n")
    (tmp_path / "services/two.py").write_text(line)

    assert set(circle(graph_of(tmp_path))) == {"services.one", "services.two"}
