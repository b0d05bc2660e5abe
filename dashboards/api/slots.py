"""How many requests are answered at once: each takes a thread and memory, and the streams of the screens share both."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dashboards.access.problems import Problem

T = TypeVar("T")
THREADS = 2
AT_ONCE = 8
"""Answers under way, those that wait for a thread among them."""
COME_BACK_S = 1


class Slots:
    """Threads of the interface's own, off the event loop, and a bound on what waits for them."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._threads = ThreadPoolExecutor(THREADS, "interface")

    async def run(self, work: Callable[[], T]) -> T:
        """What the work gives; raises Problem 503 while too many are under way.

        A place is free again when the work has ended, not when whoever asked has gone.
        """
        if self._free == 0:
            detail = "too many requests of this interface are being answered; come back in a moment"
            raise Problem(503, detail, {"Retry-After": str(COME_BACK_S)})
        self._free -= 1
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        future.add_done_callback(lambda done: self._give_back(loop, done))
        return await asyncio.wrap_future(future)

    def _give_back(self, loop: asyncio.AbstractEventLoop, done: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._freed)

    def _freed(self) -> None:
        self._free += 1
