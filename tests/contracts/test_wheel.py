"""The folder of contracts installs alone."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
USE = """
import sys
from contracts import catalogue, client, samples
from contracts.envelope import read
assert not any(name.split(".")[0] == "services" for name in sys.modules), "services is imported"
assert all(read(samples.sample(name)) for name in samples.wire_types())
print(len(samples.wire_types()), catalogue.__file__)
"""


def python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    """The last line that a Python of its own prints."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    if path:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network and without isolation."""
    folder = tmp_path_factory.mktemp("wheel")
    return folder / python("-c", BUILD, str(folder), cwd=ROOT / "contracts")


class TestTheWheel:
    """What upstream systems install."""

    def test_works_where_nothing_else_of_relais_is(self, wheel: Path, tmp_path: Path) -> None:
        """Messages, samples and client are there, and need no service."""
        with ZipFile(wheel) as archive:
            archive.extractall(tmp_path)
        count, file = python("-c", USE, cwd=tmp_path, path=tmp_path).split()
        assert Path(file).is_relative_to(tmp_path)
        assert int(count) == 93

    def test_says_its_licence_and_what_it_needs(self, wheel: Path) -> None:
        """The metadata name the licence, and aio-pika only for the client."""
        with ZipFile(wheel) as archive:
            [metadata] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            text = archive.read(metadata).decode()
        assert "License-Expression: Apache-2.0" in text
        assert "Requires-Dist: aio-pika<11,>=10.2; extra == 'client'" in text

    def test_holds_nothing_but_the_package(self, wheel: Path) -> None:
        """No test, cache or setting travels with it."""
        with ZipFile(wheel) as archive:
            suffixes = {
                Path(name).suffix for name in archive.namelist() if ".dist-info/" not in name
            }
        assert suffixes == {".py", ".json", ".typed"}
