"""The files of the project, as its own rules see them."""

import ast
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
RUNTIME = SERVICES / "runtime"
NOT_SERVICES = {"runtime", "cli"}


def services() -> list[str]:
    """The names of the services: the folders that are neither engine nor command line."""
    folders = (path.parent.name for path in SERVICES.glob("*/__init__.py"))
    return sorted(set(folders) - NOT_SERVICES)


def configuration() -> dict[str, object]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pure_modules() -> list[str]:
    """The modules that hold rules, as the import rules name them; `*` stands for every service."""
    named = import_rule("rules-pure")["source_modules"]
    return sorted({name.replace("*", service) for name in named for service in services()})


def import_rule(id: str) -> dict[str, Any]:
    """One of the rules for import-linter."""
    tool = configuration()["tool"]
    assert isinstance(tool, dict)
    rules: list[dict[str, Any]] = tool["importlinter"]["contracts"]
    (found,) = (rule for rule in rules if rule["id"] == id)
    return found


def file_of(module: str) -> Path:
    """Where a module is."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def imports(path: Path) -> set[str]:
    """The modules that a file imports; of `from a import b` both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module} | {f"{module}.{name.name}" for name in names}
            case _:
                pass
    return found


def calls(path: Path) -> set[str]:
    """The names of what a file calls, as far as they can be read: `datetime.now`."""
    tree = ast.parse(path.read_text())
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
