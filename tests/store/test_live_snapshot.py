"""The snapshot through a real Valkey, also while it is killed and started again."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import redis

from metrics.readings import (
    FINDING_COLUMNS,
    FLOW_COLUMNS,
    READING_COLUMNS,
    SCORE_COLUMNS,
    SOURCE_COLUMNS,
    TREND_COLUMNS,
    Snapshot,
)
from store.embedded_valkey import EmbeddedValkey
from store.live import FRAMES, Live

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
COLUMNS = {
    "readings": READING_COLUMNS,
    "trend": TREND_COLUMNS,
    "flow": FLOW_COLUMNS,
    "sources": SOURCE_COLUMNS,
    "findings": FINDING_COLUMNS,
    "scores": SCORE_COLUMNS,
}
NUMBERS = {"value", "numerator", "denominator", "n", "previous", "contacts", "lag_s", "score", "coverage"}
TIMES = {"at", "start", "last_success", "covered_until", "since", "last_seen"}


def frame(columns: tuple[str, ...], generation: int, rows: int = 3) -> pd.DataFrame:
    made = {}
    for name in columns:
        if name in NUMBERS:
            made[name] = pd.Series([float("nan"), *[float(generation)] * (rows - 1)])
        elif name in TIMES:
            made[name] = pd.Series([pd.NaT, *[NOW] * (rows - 1)], dtype="datetime64[s, UTC]")
        else:
            made[name] = pd.Series([f"{name} {n} 华" for n in range(rows)], dtype="str")
    return pd.DataFrame(made)


def snapshot(generation: int, rows: int = 3) -> Snapshot:
    return Snapshot(
        generation, NOW, True, **{name: frame(columns, generation, rows) for name, columns in COLUMNS.items()}
    )


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path) as server:
        yield server


@pytest.fixture
def live(valkey: EmbeddedValkey) -> Iterator[Live]:
    with closing(Live(valkey.url)) as opened:
        yield opened


def test_every_frame_of_the_snapshot_travels() -> None:
    assert set(FRAMES) == set(COLUMNS)
    assert {field.name for field in fields(Snapshot)} == {*FRAMES, "generation", "at", "simulated"}


def test_what_was_published_is_read(live: Live) -> None:
    assert live.read() is None
    live.publish(snapshot(7))
    found = live.read()
    assert found is not None
    assert (found.generation, found.at, found.simulated) == (7, NOW, True)
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(snapshot(7), name))
    assert (live.health().generation, live.health().at) == (7, NOW)


def test_a_reader_never_sees_two_generations_at_once(valkey: EmbeddedValkey, live: Live) -> None:
    stop = threading.Event()

    def publish() -> None:
        with closing(Live(valkey.url)) as writer:
            generation = 0
            while not stop.is_set():
                writer.publish(snapshot(generation := generation + 1))

    writer = threading.Thread(target=publish)
    writer.start()
    try:
        seen = set()
        while len(seen) < 30:
            if (found := live.read()) is not None:
                shown = {
                    getattr(found, name).iloc[1][number]
                    for name, number in (("readings", "value"), ("scores", "score"))
                }
                assert shown == {found.generation}
                seen.add(found.generation)
    finally:
        stop.set()
        writer.join()


def test_the_snapshot_does_not_wear_the_disk(valkey: EmbeddedValkey, live: Live) -> None:
    client = redis.Redis.from_url(valkey.url)
    before = client.info("persistence")["aof_current_size"]
    live.publish(snapshot(1, rows=10_000))
    assert client.strlen("watchfloor:snapshot:readings") > 100_000
    assert client.info("persistence")["aof_current_size"] == before
    client.close()


async def test_the_standing_generation_comes_first_then_each_new_one(live: Live) -> None:
    live.publish(snapshot(1))
    generations = live.generations()
    assert await anext(generations) == 1
    following = asyncio.ensure_future(anext(generations))
    await asyncio.to_thread(live.publish, snapshot(2))
    assert await following == 2
    await generations.aclose()


async def test_after_a_gap_only_the_newest_comes(live: Live) -> None:
    live.publish(snapshot(1))
    generations = live.generations()
    assert await anext(generations) == 1
    for generation in range(2, 30):
        live.publish(snapshot(generation))
    seen = [await anext(generations)]
    while seen[-1] < 29:
        seen.append(await anext(generations))
    assert seen[-1] == 29
    assert len(seen) <= 3
    await generations.aclose()


async def test_a_lost_link_is_found_again(valkey: EmbeddedValkey, live: Live) -> None:
    live.publish(snapshot(1))
    generations = live.generations()
    assert await anext(generations) == 1
    following = asyncio.ensure_future(anext(generations))
    os.kill(valkey.pid or 0, signal.SIGKILL)
    await asyncio.to_thread(valkey._process.wait)  # type: ignore[union-attr]
    assert not live.health().reachable
    await asyncio.to_thread(valkey.ensure)
    assert live.read() is None
    await asyncio.to_thread(live.publish, snapshot(2))
    assert await asyncio.wait_for(following, 10) == 2
    await generations.aclose()
