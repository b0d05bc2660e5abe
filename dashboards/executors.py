"""The threads of the web process, apart by purpose: what hangs in one delays nothing in another."""

from dataclasses import dataclass, field
from functools import partial

from access.executor import Executor

COME_BACK_S = 5
"""When to try again where too many wait already."""


@dataclass(frozen=True)
class Executors:
    """Every thread that works for a site; who waits for which is listed in `docs/architecture.md`."""

    snapshots: Executor = field(default_factory=partial(Executor, "snapshots", 1, 8))
    """Reading the newest snapshot."""
    frames: Executor = field(default_factory=partial(Executor, "frames", 2, 1000))
    """Making what views show; there are no more at one time than views."""
    pages: Executor = field(default_factory=partial(Executor, "pages", 4, 200))
    """Making pages."""
    access: Executor = field(default_factory=partial(Executor, "access", 4, 10_000))
    """Who asks: users, and what they did; as many may wait as there are streams that come back together."""
    passwords: Executor = field(default_factory=partial(Executor, "passwords", 2, 50))
    """Passwords under check: each takes 32 MB and a tenth of a second of a core."""
    files: Executor = field(default_factory=partial(Executor, "files", 2, 2000))
    """Reading and compressing files; a page asks for a dozen at once."""
    health: Executor = field(default_factory=partial(Executor, "health", 1, 0))
    """Whether the store answers; all who ask at a time are told by one look."""
    questions: Executor = field(default_factory=partial(Executor, "questions", 2, 20))
    """Who waits for answers from facts."""
    lists: Executor = field(default_factory=partial(Executor, "lists", 2, 20))
    """Lists of the interface for other systems."""
