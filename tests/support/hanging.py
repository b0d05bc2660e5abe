"""Executors in which every thread hangs until a test says otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Barrier, Event

from access.executor import Executor

SAFETY_S = 30
"""What never happens in a test that passes: the end of patience for something that is hung for good."""


@asynccontextmanager
async def hanging(executor: Executor) -> AsyncIterator[None]:
    """Hang every thread of an executor for as long as this lasts."""
    released, hung = Event(), Barrier(executor.threads + 1)

    def hang() -> None:
        hung.wait(SAFETY_S)
        released.wait()

    calls = [asyncio.create_task(executor.run(hang)) for _ in range(executor.threads)]
    await asyncio.to_thread(hung.wait, SAFETY_S)
    try:
        yield
    finally:
        released.set()
        await asyncio.gather(*calls)


async def settled() -> None:
    """Let every task that was made begin: tasks run in the order in which they were made."""
    await asyncio.sleep(0)
