"""What Linux tells of processes, and of how busy the machine is."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTENING = "0A"
TICKS = os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most memory that a process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def forget_peak(pid: int) -> None:
    """Let the most memory be counted from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cores() -> int:
    """The processors that we, and whatever we start, may run on."""
    return len(os.sched_getaffinity(0))


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far, without its children."""
    return sum(_times(_stat(pid))[:2])


def tree_cpu_seconds(pid: int) -> float:
    """The processor time of a process, its children and theirs, also of those that have ended.

    A child that ends leaves its time with the parent that waits for it, so nothing is lost.
    """
    children: dict[int, list[int]] = {}
    stats: dict[int, list[str]] = {}
    for one in _pids():
        with suppress(OSError):
            stats[one] = _stat(one)
            children.setdefault(int(stats[one][1]), []).append(one)
    total, left = 0.0, [pid]
    while left:
        one = left.pop()
        total += sum(_times(stats[one]))
        left += children.get(one, [])
    return total


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on; its parent is the second."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _times(stat: list[str]) -> tuple[float, float, float, float]:
    """Seconds in user and system mode, of the process and of its children that have ended."""
    user, system, children_user, children_system = (int(ticks) / TICKS for ticks in stat[11:15])
    return user, system, children_user, children_system


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def listener(port: int, program: str) -> int | None:
    """The process of this program that accepts connections on a port; None where we see none."""
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    found = (pid for pid in _pids() if _name(pid) == program and wanted & _open_files(pid))
    return min(found, default=None)


def _listening(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _open_files(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(path))
    return found


def busy_ticks() -> tuple[int, int]:
    """How much all processors have worked so far, and could have."""
    times = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def busy_share(since: tuple[int, int]) -> float:
    """The share of all processors that was used since then."""
    (worked, could), (worked_now, could_now) = since, busy_ticks()
    return (worked_now - worked) / max(could_now - could, 1)
