"""Other processes of a measurement: the processor that they have to themselves, and the time they take of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def pin(pid: int, core: int) -> None:
    """Let a process, with all the threads that it has, run on one core only."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def two_cores() -> tuple[int, int]:
    """One core for the server, another for everything else; the same one twice where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used so far, all threads."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this thread, and what it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
