"""Who may import whom: what the declared rules leave to be looked at."""

import sys

import pytest

from services.runtime import declared
from tests.architecture.project import (
    RUNTIME,
    calls,
    file_of,
    import_rule,
    imports,
    pure_modules,
    services,
)

PURE_OF_RUNTIME = ("services.runtime.decision",)
"""A decision, and why an event happens: values."""

PURE_OF_PYTHON = {
    "collections",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "textwrap",
    "types",
    "typing",
    "uuid",
}
CLOCKS = ("now", "utcnow", "today", "time", "monotonic", "perf_counter", "uuid1", "uuid4")


class TestTheDeclaredRules:
    """They are in pyproject.toml, and checked by import-linter."""

    def test_name_every_service(self) -> None:
        """A service that no rule names is held by none."""
        rule = import_rule("services-apart")

        layer = rule["layers"][rule["layers"].index("runtime") - 1]
        assert sorted(layer.split(" | ")) == declared.names()
        assert rule["exhaustive"]

    @pytest.mark.parametrize("service", declared.names())
    def test_hold_the_rules_of_every_service(self, service: str) -> None:
        """Its domain is among the modules that must be pure."""
        assert f"services.{service}.domain" in pure_modules()


class TestAModuleOfRules:
    """It decides by what it is given, and by nothing else."""

    @pytest.mark.parametrize("module", pure_modules())
    def test_imports_only_what_is_pure(self, module: str) -> None:
        """Contracts, decisions, its pure siblings, and what Python has of values."""
        room = module.rpartition(".")[0]
        for imported in imports(file_of(module)):
            top = imported.partition(".")[0]
            if top in sys.stdlib_module_names:
                assert any(imported == p or imported.startswith(f"{p}.") for p in PURE_OF_PYTHON)
            elif top == "services":
                pure = (*PURE_OF_RUNTIME, *pure_modules())
                assert imported == room or imported.startswith(pure), imported
            else:
                assert top in {"contracts", "pydantic"}, imported

    @pytest.mark.parametrize("module", pure_modules())
    def test_reads_no_clock_and_rolls_no_dice(self, module: str) -> None:
        """Time comes in as a value, with the message."""
        read = {name for name in calls(file_of(module)) if name.rpartition(".")[2] in CLOCKS}

        assert not read


class TestTheRuntime:
    """It finds services by their entry points, and names none."""

    def test_names_no_service(self) -> None:
        """Neither by import nor by the name of a module in a text."""
        for path in RUNTIME.rglob("*.py"):
            text = path.read_text()
            assert not [s for s in services() if f"services.{s}" in text], path.name
