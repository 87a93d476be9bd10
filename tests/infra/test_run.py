"""The script `run`, in folders of any name; a stand-in takes the place of uv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ODD = 'l\'agence "$HOME" `id` \\n é %d #1, [a] {b}; *'


def checkout(folder: Path) -> Path:
    """A clone that has been run before: its environment notes where it is."""
    packages = folder / ".venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (packages / "_editable_impl_relais.pth").write_text(str(folder))
    shutil.copy(PROJECT / "run", folder / "run")
    programs = folder / ".venv/bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "relais").write_text("#!/bin/sh\necho ran")
    (programs / "relais").chmod(0o755)
    return folder


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the script there."""
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "RELAIS_UV": "/bin/true"}
    return subprocess.run(
        ["./run"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


class TestTheEnvironment:
    """The folder .venv."""

    def test_stays_whatever_the_folder_is_called(self, tmp_path: Path) -> None:
        """A second run takes it as it is: servers and workers may be running out of it."""
        assert run(checkout(tmp_path / ODD)).stdout == "ran\n"

    def test_goes_where_the_folder_was_moved(self, tmp_path: Path) -> None:
        """Its programs still name the old place."""
        moved = checkout(tmp_path / "old").rename(tmp_path / "new")
        run(moved)
        assert not (moved / ".venv").exists()


class TestAFolder:
    """The name of the folder of a checkout."""

    @pytest.mark.parametrize("name", ["line\nbreak", "blank ", "next\x85line", "latin-\udce9"])
    def test_that_holds_no_environment_is_refused(self, tmp_path: Path, name: str) -> None:
        """The sentence names the folder and what to do."""
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(PROJECT / "run", folder / "run")
        refused = run(folder)
        assert refused.returncode == 69
        assert "Rename it: " in refused.stderr
