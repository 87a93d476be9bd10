"""Containers, with a stand-in for the docker command: no engine is needed to test our side."""

import stat
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.local.errors import Unavailable
from infra.local.servers import servers
from tests.infra.processes import is_running, recorded

DOCKER = f"""#!{sys.executable} -S
import socket, sys
said = open({{note!r}}, "a")
said.write(" ".join(sys.argv[1:]) + "\\n")
said.close()
if sys.argv[1] == "info":
    print('"{{version}}"')
if sys.argv[1] == "run":
    host, port, _ = sys.argv[sys.argv.index("--publish") + 1].split(":")
    server = socket.create_server((host, int(port)))
    while True:
        server.accept()[0].send(b"hello")
"""


def put_docker(folder: Path, patch: pytest.MonkeyPatch, version: str) -> Path:
    """Put a docker command first on PATH; return the file in which it notes how it was called."""
    note = folder / "calls"
    program = folder / "docker"
    program.write_text(DOCKER.format(note=str(note), version=version))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    patch.setenv("PATH", str(folder), prepend=":")
    patch.setenv("RELAIS_INFRA", "docker")
    patch.delenv("RELAIS_AMQP_URL", raising=False)
    patch.delenv("RELAIS_POSTGRES_URL", raising=False)
    return note


class TestContainers:
    """RELAIS_INFRA=docker."""

    def test_run_and_are_removed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both servers are containers on ports of 127.0.0.1, and none is left behind."""
        note = put_docker(tmp_path, monkeypatch, "28.0")
        with servers(tmp_path / "state") as pair:
            pids = recorded(tmp_path / "state")
            assert set(pids) == {"rabbitmq", "postgres"}
            assert "in a container, because RELAIS_INFRA=docker asks for it" in pair.chosen[0]
        assert not any(is_running(pid) for pid in pids.values())
        calls = note.read_text()
        for url, image in (
            (pair.amqp_url, "rabbitmq:4.3-management"),
            (pair.postgres_url, "postgres:18"),
        ):
            assert f"--publish 127.0.0.1:{urlsplit(url).port}:" in calls
            assert f"{image}\n" in calls
        assert calls.count("rm --force --volumes relais-") == 2

    def test_need_an_engine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A docker command without an engine is told from one that works."""
        put_docker(tmp_path, monkeypatch, "")
        with (
            pytest.raises(Unavailable, match=r"no Docker engine answers.*RELAIS_AMQP_URL"),
            servers(tmp_path / "state"),
        ):
            pass
