"""A store that hangs: every look at it ends within its patience, and none waits behind another."""

import asyncio
from threading import Event

from access.executor import Executor
from dashboards.site.store_health import StoreHealth
from store.valkey.live import LiveHealth
from tests.support.live_world import MemoryLive


class Hanging(MemoryLive):
    """A store that says how it is when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = 0, Event()

    def health(self) -> LiveHealth:
        self.asked += 1
        self.let.wait()
        return super().health()


async def test_a_store_that_hangs_is_asked_once_and_nobody_waits_behind_that() -> None:
    live = Hanging()
    health = StoreHealth(live, Executor("health", 1, 0), patience_s=0.05)
    faults = [*await asyncio.gather(health.fault(), health.fault()), await health.fault()]
    assert faults == ["the live store has not answered for 0 s"] * 3
    assert live.asked == 1
    live.let.set()
    assert health._look is not None
    await health._look
    assert await health.fault() is None
    assert live.asked == 2


async def test_who_asks_at_the_same_time_is_told_by_one_look() -> None:
    live = Hanging()
    health = StoreHealth(live, Executor("health", 1, 0))
    looks = [asyncio.create_task(health.fault()) for _ in range(3)]
    await asyncio.sleep(0)
    live.let.set()
    assert await asyncio.gather(*looks) == [None] * 3
    assert live.asked == 1
