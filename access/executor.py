"""How many calls of one purpose are worked on at once, and how many may wait for their turn.

Every purpose has threads of its own, so that what hangs in one delays nothing in another (`docs/architecture.md`,
Threads). A queue ends somewhere: whoever comes to a full one is refused at once instead of waiting for ever.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class QueueFull(Exception):
    """As many calls of a purpose wait as may; the caller is told to come back later."""


class Executor:
    """The threads of one purpose; safe from any thread and any event loop."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        """`threads`: calls at once; `waiting`: calls that may wait besides these."""
        self.name, self.threads, self.waiting = name, threads, waiting
        self._pool = ThreadPoolExecutor(threads, name)
        self._places = BoundedSemaphore(threads + waiting)

    async def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the function gives, called in a thread with the context of the caller; raises QueueFull.

        A caller that is cancelled gives up its turn, unless that has begun: then the thread is free when it ends.
        """
        context = contextvars.copy_context()
        return await asyncio.wrap_future(self._submit(lambda: context.run(function, *arguments, **named)))

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        if not self._places.acquire(blocking=False):
            raise QueueFull(f"{self.name}: {self.threads} at once and {self.waiting} that wait are all there may be")
        future = self._pool.submit(call)
        future.add_done_callback(lambda _: self._places.release())
        return future
