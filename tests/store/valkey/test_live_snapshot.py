"""The snapshot on every line-up of real Valkeys, also while the primary is killed."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import redis

from metrics.readings import (
    COUNT,
    FINDINGS,
    FLAG,
    FLOW,
    NUMBER,
    READINGS,
    SCORES,
    SOURCES,
    TEXT,
    TIME,
    TREND,
    FrameSpec,
    Snapshot,
)
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import FRAME, HEAD, SNAPSHOT, Live
from tests.support.valkey_lineups import Lineup
from tests.support.waiting import eventually

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
ALERTS = FrameSpec("alerts", {"alert": TEXT, "since": TIME, "acknowledged": FLAG, "escalations": COUNT})
"""A frame of which neither the snapshot nor its way knows anything."""
SPECS = (READINGS, TREND, FLOW, SOURCES, FINDINGS, SCORES, ALERTS)


def frame(spec: FrameSpec, generation: int, rows: int = 3) -> pd.DataFrame:
    made = {}
    for name, kind in spec.types.items():
        if kind == NUMBER:
            made[name] = pd.Series([float("nan"), *[float(generation)] * (rows - 1)])
        elif kind == TIME:
            made[name] = pd.Series([pd.NaT, *[NOW] * (rows - 1)], dtype=TIME)
        elif kind in (COUNT, FLAG):
            made[name] = pd.Series([generation % 2] * rows, dtype=kind)
        else:
            made[name] = pd.Series([f"{name} {n} 华" for n in range(rows)], dtype="str")
    return pd.DataFrame(made)


def snapshot(generation: int, rows: int = 3) -> Snapshot:
    return Snapshot(generation, NOW, True, {spec.name: frame(spec, generation, rows) for spec in SPECS})


@pytest.fixture
def live_there(replicated: Lineup) -> Iterator[Live]:
    with closing(Live(replicated.url)) as opened:
        yield opened


@pytest.fixture
def live(valkey: Lineup) -> Iterator[Live]:
    with closing(Live(valkey.url)) as opened:
        yield opened


def test_what_was_published_is_read(live: Live) -> None:
    assert live.read() is None
    live.publish(snapshot(7))
    found = live.read()
    assert found is not None
    assert (found.generation, found.at, found.simulated) == (7, NOW, True)
    assert set(found.frames) == {spec.name for spec in SPECS}
    for name, expected in snapshot(7).frames.items():
        pd.testing.assert_frame_equal(found.frames[name], expected)
    assert (live.health().generation, live.health().at) == (7, NOW)


def test_a_reader_never_sees_two_generations_at_once(valkey: Lineup, live: Live) -> None:
    stop = threading.Event()

    def publish() -> None:
        with closing(Live(valkey.url)) as writer:
            generation = 0
            while not stop.is_set():
                writer.publish(snapshot(generation := generation + 1))

    writer = threading.Thread(target=publish)
    writer.start()
    try:
        seen: set[int] = set()
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


def test_the_snapshot_wears_no_disk(valkey: Lineup, live: Live) -> None:
    primary = valkey.primary()
    servers = [server.client() for server in (primary, *valkey.following(primary))]
    before = [server.info("persistence")["aof_current_size"] for server in servers]
    live.publish(snapshot(1, rows=10_000))
    assert servers[0].hstrlen(SNAPSHOT, f"{FRAME}{READINGS.name}") > 100_000
    servers[0].execute_command("WAIT", len(servers) - 1, 5000)
    after = [server.info("persistence")["aof_current_size"] for server in servers]
    assert all(new - old < 1000 for old, new in zip(before, after, strict=True))


def heard(live: Live) -> AsyncGenerator[int]:
    """Its generations, which a test ends."""
    found = live.generations()
    assert isinstance(found, AsyncGenerator)
    return found


async def test_the_standing_generation_comes_first_then_each_new_one(live: Live) -> None:
    live.publish(snapshot(1))
    generations = heard(live)
    assert await anext(generations) == 1
    following = asyncio.ensure_future(anext(generations))
    await asyncio.to_thread(live.publish, snapshot(2))
    assert await following == 2
    await generations.aclose()


async def test_after_a_gap_only_the_newest_comes(live: Live) -> None:
    live.publish(snapshot(1))
    generations = heard(live)
    assert await anext(generations) == 1
    for generation in range(2, 30):
        live.publish(snapshot(generation))
    seen = [await anext(generations)]
    while seen[-1] < 29:
        seen.append(await anext(generations))
    assert seen[-1] == 29
    assert len(seen) <= 3
    await generations.aclose()


async def test_a_lost_primary_is_followed_by_another(valkey: Lineup, live: Live) -> None:
    live.publish(snapshot(1))
    generations = heard(live)
    assert await anext(generations) == 1
    following = asyncio.ensure_future(anext(generations))
    await asyncio.to_thread(valkey.fail_over)
    assert await asyncio.to_thread(live.read) is None
    await asyncio.to_thread(live.publish, snapshot(2))
    assert await asyncio.wait_for(following, 10) == 2
    await generations.aclose()


def test_a_lost_server_is_told(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, closing(Live(server.url)) as live:
        assert live.health().reachable
        server.stop()
        assert not live.health().reachable


def test_no_old_snapshot_comes_back_by_a_replica(replicated: Lineup, live_there: Live) -> None:
    """A replica that joins copies everything, the snapshot too; it must not outlive the next one."""
    live_there.publish(snapshot(1))
    primary = replicated.primary()
    replica = replicated.following(primary)[0]
    replica.kill()
    replicated.revive(replica)
    eventually(replicated.whole, "the replica has copied everything", but=redis.RedisError)
    assert replica.client().execute_command("DBSIZE") > 0
    live_there.publish(snapshot(2))
    primary.client().execute_command("WAIT", 1, 5000)
    assert replica.client().execute_command("DBSIZE") == 0


async def test_who_hears_nothing_for_long_asks_again_who_the_primary_is(
    valkey: Lineup, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages of these generations reach nobody: as if they had been told elsewhere."""
    monkeypatch.setattr("store.valkey.live.SILENCE_S", 0.2)
    live.publish(snapshot(1))
    generations = heard(live)
    assert await anext(generations) == 1
    following = asyncio.ensure_future(anext(generations))
    silent = valkey.primary().client()
    head = json.dumps({"generation": 2, "at": NOW.isoformat(), "simulated": True})
    await asyncio.to_thread(silent.hset, SNAPSHOT, HEAD, head)
    assert await asyncio.wait_for(following, 10) == 2
    await generations.aclose()
