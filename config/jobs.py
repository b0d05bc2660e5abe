"""What is done again and again: the owner of the work makes the job, the scheduler of the pipeline runs it."""

from collections.abc import Callable
from dataclasses import dataclass

SOURCES, AUDIT, STORAGE, HOUSEKEEPING = "sources", "audit", "storage", "housekeeping"
"""The executors of jobs, by purpose: what hangs in one delays no job of another."""


@dataclass(frozen=True)
class Job:
    """Work with a rhythm; no run of it overlaps another, and of missed runs one is made up for."""

    name: str
    """What the log calls it; no two jobs have the same."""
    every_s: float
    run: Callable[[], object]
    """May raise a fault of a store that passes (`store/faults.py`); anything else is a bug."""
    delay_s: float = 0.0
    """From the start of the process to the first run."""
    executor: str = HOUSEKEEPING
    """Whose threads do it."""
