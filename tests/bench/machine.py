"""What Linux tells of processes, and of how busy the machine is."""

import os
from pathlib import Path


def peak_mb(pid: int) -> float:
    """The most memory that a process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def forget_peak(pid: int) -> None:
    """Let the most memory be counted from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_ticks() -> tuple[int, int]:
    """How much all processors have worked so far, and could have."""
    times = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def busy_share(since: tuple[int, int]) -> float:
    """The share of all processors that was used since then."""
    (worked, could), (worked_now, could_now) = since, busy_ticks()
    return (worked_now - worked) / max(could_now - could, 1)
