"""The threads of one purpose: how many at once, how many wait, and what a caller brings along."""

import asyncio
from contextvars import ContextVar
from threading import Event

import pytest

from access.executor import Executor, QueueFull
from tests.support.hanging import hanging, settled

WHO: ContextVar[str] = ContextVar("who")


async def test_a_call_has_the_context_of_its_caller() -> None:
    WHO.set("Li Na")
    assert await Executor("work", 1, 0).run(lambda number: (WHO.get(), number), 3) == ("Li Na", 3)


async def test_what_a_call_raises_comes_to_its_caller_and_frees_its_place() -> None:
    executor = Executor("work", 1, 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await executor.run(lambda: 1 / 0)


async def test_no_more_wait_than_may() -> None:
    executor, opened = Executor("work", 2, 3), Event()
    waiting = [asyncio.create_task(executor.run(opened.wait)) for _ in range(5)]
    await settled()
    with pytest.raises(QueueFull, match="work: 2 at once and 3 that wait"):
        await executor.run(str)
    opened.set()
    assert await asyncio.gather(*waiting) == [True] * 5
    assert await executor.run(str) == ""


async def test_who_gives_up_his_turn_leaves_his_place_to_others() -> None:
    executor = Executor("work", 1, 1)
    async with hanging(executor):
        second = asyncio.create_task(executor.run(str))
        await settled()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        third = asyncio.create_task(executor.run(int))
    assert await asyncio.wait_for(third, 30) == 0
