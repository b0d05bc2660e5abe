"""The hub, awaited event by event; nothing here sleeps."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dashboards.access.viewers import OpenAccess
from dashboards.executors import Executors
from dashboards.live.audiences import QUEUE, Subscription
from dashboards.live.frames import GZIP_HEADER, Block, changes, event
from dashboards.live.hub import Hub, Limits, TooManyStreams
from dashboards.site.pages import Pages
from dashboards.views import View
from metrics.readings import Snapshot
from tests.support.live_world import GUANGDONG, MemoryLive, catalogue, snapshot, view, windows

FLOW = view("/flow")
PROVINCE = view(f"/province/{GUANGDONG}")


class Counting(Pages):
    """Pages that remember for which views they made parts."""

    def __init__(self) -> None:
        super().__init__(catalogue(), OpenAccess(), windows())
        self.made: list[str] = []

    def parts(self, snapshot: Snapshot | None, view: View) -> Mapping[str, Mapping[str, object]]:
        self.made.append(view.topic)
        return super().parts(snapshot, view)


@asynccontextmanager
async def running(live: MemoryLive, limits: Limits | None = None) -> AsyncIterator[tuple[Hub, Counting]]:
    pages = Counting()
    hub = Hub(live, pages, Executors(), limits)
    task = asyncio.create_task(hub.run())
    try:
        yield hub, pages
    finally:
        task.cancel()


def read(block: Block | None) -> dict[str, Any]:
    assert block is not None
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(block.packed) == block.plain
    name, data, *_ = block.plain.decode().split("\n")
    content: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return {"event": name.removeprefix("event: "), **content}


async def frames(subscription: Subscription, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [read(await subscription.next()) for _ in range(count)]


async def until_generation(subscription: Subscription, offered: str) -> dict[str, Any]:
    while True:
        (frame,) = await frames(subscription, 1)
        if frame["set"].get("offered") == {"text": offered}:
            return frame


async def test_a_screen_gets_everything_first_and_then_what_changed() -> None:
    live = MemoryLive()
    live.publish(snapshot(1, 100))
    async with running(live) as (hub, _):
        screen = hub.subscribe(FLOW)
        full = await until_generation(screen, "100")
        live.publish(snapshot(2, 101))
        (delta,) = await frames(screen, 1)
    assert full["set"]["tile"][".unit"] == "n"
    assert (delta["full"], delta["seq"]) == (False, full["seq"] + 1)
    assert delta["set"]["tile"] == {".unit@title": "of 101"}


async def test_before_the_first_snapshot_a_screen_is_told_that_there_is_none() -> None:
    live = MemoryLive()
    async with running(live) as (hub, _):
        screen = hub.subscribe(FLOW)
        (waiting,) = await frames(screen, 1)
        live.publish(snapshot(1, 7))
        first = await until_generation(screen, "7")
    assert waiting["at"] is None
    assert waiting["set"]["waiting"] == {"@hidden": None}
    assert first["set"]["waiting"] == {"@hidden": ""}


async def test_all_screens_of_a_view_share_the_same_bytes_and_one_making() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, pages):
        screens = [hub.subscribe(FLOW.to(theme=theme)) for theme in ("dark", "light", "dark")]
        for screen in screens:
            await until_generation(screen, "100")
        pages.made.clear()
        live.publish(snapshot(2))
        blocks = [await screen.next() for screen in screens]
    assert blocks[0] is blocks[1] is blocks[2]
    assert pages.made == ["flow"]


async def test_a_view_that_nobody_watches_costs_nothing() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, pages):
        gone, stays = hub.subscribe(PROVINCE), hub.subscribe(FLOW)
        await until_generation(gone, "100")
        await until_generation(stays, "100")
        hub.leave(gone)
        pages.made.clear()
        live.publish(snapshot(2))
        await frames(stays, 1)
    assert pages.made == ["flow"]
    assert hub.streams == 1


async def test_a_slow_screen_is_moved_on_to_the_newest_full_frame() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, _):
        slow, quick = hub.subscribe(FLOW), hub.subscribe(FLOW)
        await until_generation(slow, "100")
        await until_generation(quick, "100")
        last = 100 + QUEUE + 3
        for number in range(101, last + 1):
            live.publish(snapshot(number, number))
            await until_generation(quick, str(number))
        (newest,) = await frames(slow, 1)
    assert (newest["full"], newest["set"]["offered"]) == (True, {"text": str(last)})


class Straight:
    """A socket beside a screen's task: what went to it, as long as it takes anything."""

    def __init__(self) -> None:
        self.taken: list[Block] = []
        self.open = True

    def __call__(self, block: Block) -> bool:
        if self.open:
            self.taken.append(block)
        return self.open


async def waiting(screen: Subscription) -> "asyncio.Task[Block | None]":
    """The screen's task, which has sent everything and waits for news."""
    task: asyncio.Task[Block | None] = asyncio.ensure_future(screen.next())
    await asyncio.sleep(0)
    return task


async def test_a_screen_that_keeps_up_is_written_to_without_waking_its_task() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, _):
        screen, witness = hub.subscribe(FLOW), hub.subscribe(FLOW)
        await until_generation(screen, "100")
        await until_generation(witness, "100")
        screen.straight = straight = Straight()
        task = await waiting(screen)
        for number in (2, 3):
            live.publish(snapshot(number, number))
            await until_generation(witness, str(number))
        assert not task.done()
        task.cancel()
    assert [read(block)["seq"] for block in straight.taken] == [3, 4]


async def test_blocks_keep_their_order_when_a_socket_stops_and_goes_on() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, _):
        screen, witness = hub.subscribe(FLOW), hub.subscribe(FLOW)
        await until_generation(screen, "100")
        await until_generation(witness, "100")
        screen.straight = straight = Straight()
        task = await waiting(screen)
        straight.open = False
        live.publish(snapshot(2, 2))
        await until_generation(witness, "2")
        straight.open = True  # but the task holds a block that it has not sent yet
        live.publish(snapshot(3, 3))
        await until_generation(witness, "3")
        owed = [await asyncio.wait_for(one, 5) for one in (task, screen.next())]
        task = await waiting(screen)
        live.publish(snapshot(4, 4))
        await until_generation(witness, "4")
        task.cancel()
    assert [read(block)["set"]["offered"] for block in (*owed, *straight.taken)] == [
        {"text": "2"},
        {"text": "3"},
        {"text": "4"},
    ]


async def test_the_view_with_most_screens_is_brought_up_first() -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, pages):
        screens = [hub.subscribe(view) for view in (FLOW, PROVINCE, PROVINCE)]
        for screen in screens:
            await until_generation(screen, "100")
        pages.made.clear()
        live.publish(snapshot(2, 2))
        for screen in screens:
            await until_generation(screen, "2")
    assert pages.made == [PROVINCE.topic, FLOW.topic]


async def test_figures_that_fail_are_told_on_their_own_view_only(caplog: pytest.LogCaptureFixture) -> None:
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, _):
        screen = hub.subscribe(FLOW)
        await until_generation(screen, "100")
        for number in (2, 3):
            live.publish(snapshot(number, -1))
            (broken,) = await frames(screen, 1)
        live.publish(snapshot(4, 5))
        (mended,) = await frames(screen, 1)
    assert "offered" not in broken["set"]
    assert [record.message for record in caplog.records] == [f"the figures of {FLOW.key} could not be made"]
    assert mended["set"]["trouble"] == {"text": "", "@hidden": ""}
    assert mended["set"]["offered"] == {"text": "5"}


async def test_the_loss_of_the_store_is_told_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.live.hub.RETRY_S", 0)
    caplog.set_level("INFO", "dashboards.live.hub")
    live = MemoryLive()
    live.publish(snapshot(1))
    async with running(live) as (hub, _):
        screen = hub.subscribe(FLOW)
        await until_generation(screen, "100")
        live.lose()
        reads = live.reads
        while live.reads < reads + 3:
            await asyncio.sleep(0)
        assert hub.trouble == "ConnectionError: the store is gone"
        live.publish(snapshot(2, 8))
        await until_generation(screen, "8")
        assert hub.trouble is None
    told = [record.message for record in caplog.records]
    assert told == ["the live store cannot be read: the store is gone", "the live store is back"]


async def test_there_is_a_limit_to_streams_and_to_views() -> None:
    async with running(MemoryLive(), Limits(streams=2, views=1)) as (hub, _):
        hub.subscribe(FLOW)
        with pytest.raises(TooManyStreams, match="1 different views"):
            hub.subscribe(PROVINCE)
        hub.subscribe(FLOW)
        with pytest.raises(TooManyStreams, match="2 streams"):
            hub.subscribe(FLOW)


async def test_a_link_without_news_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.live.hub.BEAT_S", 0.01)
    async with running(MemoryLive()) as (hub, _):
        screen = hub.subscribe(FLOW)
        told = await frames(screen, 3)
    assert [frame["event"] for frame in told] == ["frame", "beat", "beat"]


def test_blocks_follow_each_other_in_any_stream() -> None:
    """One member of gzip, made of blocks that were compressed apart."""
    blocks = [event("frame", {"n": n, "text": "同样的字节"}) for n in range(5)]
    stream = GZIP_HEADER + b"".join(block.packed for block in (*blocks, blocks[0]))
    unpacked = zlib.decompressobj(31).decompress(stream)
    assert unpacked == b"".join(block.plain for block in (*blocks, blocks[0]))


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        event("frame", {"n": float("nan")})


def test_what_is_gone_becomes_null() -> None:
    before = {"a": {"text": "1", "@title": "x"}, "b": {"text": "2"}}
    after = {"a": {"text": "1"}, "c": {"text": "3"}}
    assert changes(before, after) == {"a": {"@title": None}, "b": {"text": None}, "c": {"text": "3"}}
