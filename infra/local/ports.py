"""Find ports on 127.0.0.1 that nobody uses."""

import random
import socket
from collections.abc import Iterable

ATTEMPTS = 200
# Below 32768, where Linux does not hand out ports to outgoing connections by itself.
CHOICE = range(20_000, 32_000)


def free_port(*, preferred: int | None = None, offsets: Iterable[int] = (0,)) -> int:
    """Return a port P such that P plus each offset is free: `preferred`, else one at random."""
    wanted = list(offsets)
    candidates = [preferred] if preferred else []
    candidates += random.sample(CHOICE, ATTEMPTS)
    for port in candidates:
        if all(is_free(port + offset) for offset in wanted):
            return port
    raise OSError(f"no free port found on 127.0.0.1 in {ATTEMPTS} attempts")


def free_ports(count: int) -> list[int]:
    """Return that many different free ports."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 now."""
    with socket.socket() as trial:
        # As servers do: a port whose old connections linger is free, one that is listened on not.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(host: str, port: int, *, greeting: bytes = b"", timeout: float = 2.0) -> bool:
    """Whether something accepts connections there and, when greeted, answers."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(greeting)
            return not greeting or bool(connection.recv(8))
    except OSError:
        return False
