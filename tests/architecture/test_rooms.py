"""Every service has the same rooms, and every file is of a size that one can read."""

import ast
from pathlib import Path

import pytest

from services.runtime.service import Service, installed
from tests.architecture.project import ROOT, SERVICES, services

ROOMS = ("__init__", "__main__", "app", "domain", "handlers", "store")
LONGEST = 400

PRODUCT = ("contracts", "services", "infra", "tests/runtime", "tests/architecture")
FILES = sorted(str(p.relative_to(ROOT)) for top in PRODUCT for p in (ROOT / top).rglob("*.py"))
STATEMENTS = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")


@pytest.mark.parametrize("service", services())
class TestAService:
    """Who knows one of them knows them all."""

    def test_has_its_rooms(self, service: str) -> None:
        """Wiring, rules, handlers and tables, each where one looks for it."""
        missing = [r for r in ROOMS if not (SERVICES / service / f"{r}.py").exists()]

        assert not missing

    def test_has_its_tables(self, service: str) -> None:
        """The first migration has the name of its service."""
        first = min((SERVICES / service / "sql").glob("[0-9]*.sql"))

        assert first.name.endswith(f"_{service}.sql")

    def test_has_its_page(self, service: str) -> None:
        """What it owns, its rules, what happens when things fail."""
        page = (SERVICES / service / "README.md").read_text()

        assert page.startswith("# ")
        assert "fail" in page

    def test_is_wired_in_one_place(self, service: str) -> None:
        """And found under its own name, with its table work in a room of its own."""
        wired = installed()[service]

        assert isinstance(wired, Service)
        assert wired.name == service
        assert wired.migrations == SERVICES / service / "sql"
        if wired.sweeps:
            assert (SERVICES / service / "sweeps.py").exists()

    def test_only_runs_its_worker(self, service: str) -> None:
        """The way in does nothing else."""
        lines = (SERVICES / service / "__main__.py").read_text().splitlines()

        assert lines[-1] == "worker.run(SERVICE)"
        assert len(list(filter(None, lines))) == 4

    @pytest.mark.parametrize("room", ["app", "domain", "handlers", "sweeps"])
    def test_keeps_its_statements_in_its_store(self, service: str, room: str) -> None:
        """Rules and handlers speak of things, not of rows."""
        path = SERVICES / service / f"{room}.py"
        if path.exists():
            assert not statements(path)


def statements(path: Path) -> list[str]:
    """The texts of a file that are SQL."""
    texts = (
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return [text for text in texts if text.lstrip().startswith(STATEMENTS)]


@pytest.mark.parametrize("path", FILES)
def test_a_file_can_be_read_in_one_go(path: str) -> None:
    """A room becomes a folder when it grows past that."""
    lines = len((ROOT / path).read_text().splitlines())

    assert lines <= LONGEST
