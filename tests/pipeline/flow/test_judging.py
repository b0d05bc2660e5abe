"""Judging: once for all that came together, again for whoever was killed before it, also for what others stored."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import redis

from collectors.push import PushCollector
from metrics.observations import Interval, Payload
from pipeline.board.board import Board
from pipeline.dependencies import Dependencies
from pipeline.flow.collecting import collect, due
from pipeline.flow.feeder import receiving
from pipeline.flow.judging import Judge, Touched, judge, together
from pipeline.flow.storing import enter
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.flow.turn import turn
from store.faults import StoreUnreachable
from store.ingest.stream import Ingest, Limits
from store.valkey.embedded import EmbeddedValkey
from tests.support.pipeline_world import GUANGZHOU, NOON, SHENZHEN, Clock, Scripted, feeder, pipeline, receiver_of, row
from tests.support.push_world import body
from tests.support.valkey_lineups import signs_of_life
from tests.support.waiting import eventually

UNBALANCED = [row("offered", GUANGZHOU, 10), row("answered", GUANGZHOU, 6), row("abandoned", GUANGZHOU, 1)]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def shown(board: Board, measure: str = "offered", channel: str = "desk") -> float:
    feed = board.feeds[channel, "counts"]
    sums = board.window(feed, "15min", NOON)
    assert sums is not None
    return float(sums.values[feed.measures.keys[measure], board.places.index["100000"]])


def rules(dependencies: Dependencies) -> set[str]:
    return {one.rule for one in dependencies.state.findings.open()}


def die(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
    """Where others judge."""
    raise Killed


def test_who_is_killed_between_storing_and_judging_judges_when_the_batch_comes_again(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as dependencies:
        desk = feeder(dependencies, collector=Scripted(dependencies, [UNBALANCED, UNBALANCED]))
        with pytest.raises(Killed):
            turn(dependencies, desk, judged=die)
        hour = Interval(NOON - timedelta(hours=1), NOON)
        assert len(dependencies.history.observations(hour)) == 3
        assert dependencies.state.progress.cursor("desk", "counts", "live") == {}
        assert rules(dependencies) == set()
        turn(dependencies, desk)
        assert len(dependencies.history.observations(hour)) == 3
        assert "AC-03" in rules(dependencies)
        assert shown(dependencies.board) == 10


def test_what_another_process_has_stored_is_judged_by_what_it_tells(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as dependencies:
        worker = replace(dependencies, board=Board(dependencies.catalogue))
        desk = feeder(worker, collector=Scripted(worker, [UNBALANCED]))
        ask = due(worker, desk, "live")
        harvest = collect(worker, desk, ask, lambda: desk.collector.fetch(ask))
        judge(dependencies, enter(worker, [(desk, harvest)]))
        assert shown(dependencies.board) == 10
        assert "AC-03" in rules(dependencies)


def span(first: int, last: int) -> Interval:
    return Interval(NOON + timedelta(minutes=first), NOON + timedelta(minutes=last))


def test_what_overlaps_in_a_channel_is_judged_once_and_channels_of_one_span_together() -> None:
    touched = [
        Touched("", "a", "counts", span(0, 3)),
        Touched("", "b", "counts", span(0, 5)),
        Touched("", "a", "counts", span(2, 5)),
        Touched("", "a", "counts", span(-60, -59)),
        Touched("", "b", "counts"),
    ]
    assert dict(together(touched)) == {span(0, 5): ("a", "b"), span(-60, -59): ("a",)}


class Picky(PushCollector):
    """Trips over one body as a bug would, and of another makes a table that the store refuses."""

    def parse(self, payload: Payload) -> Any:
        if b"poison" in payload.data:
            raise RuntimeError("a bug")
        parsed = super().parse(payload)
        if b"999" in payload.data:
            assert parsed.observations is not None
            return replace(parsed, observations=parsed.observations.assign(region="nowhere"))
        return parsed


@contextmanager
def drain(dependencies: Dependencies, url: str, judged: Judge = judge) -> Iterator[StreamConsumer]:
    """A drain as a process has it after its start."""
    with closing(Ingest(url, limits=Limits(reclaim_after_s=0))) as ingest:
        desk, chat = (receiver_of(dependencies.catalogue, name) for name in ("desk", "chat"))
        assert isinstance(desk.collector, PushCollector)
        picky = replace(desk, collector=Picky(desk.collector._plan))
        yield StreamConsumer(dependencies, ingest, receiving([picky, chat]), judged)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server.url


def test_bodies_that_wait_together_are_judged_once(tmp_path: Path, valkey: str) -> None:
    seen: list[int] = []

    def counted(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
        seen.append(len(touched))
        judge(dependencies, touched)

    with pipeline(tmp_path / "home", Clock()) as dependencies, drain(dependencies, valkey, counted) as one:
        for number, city in enumerate((GUANGZHOU, SHENZHEN)):
            for channel in ("desk", "chat"):
                one.ingest.append(channel, "counts", f"k{number}", body(row("offered", city, 5)), NOON)
        assert one.once() == 4
        assert seen == [4]
        assert shown(dependencies.board) == shown(dependencies.board, channel="chat") == 10
        assert one.ingest.waiting() == 0


def test_a_body_is_kept_until_it_is_judged_and_a_kill_before_loses_no_finding(tmp_path: Path, valkey: str) -> None:
    with pipeline(tmp_path / "home", Clock()) as dependencies:
        with drain(dependencies, valkey, die) as first:
            first.ingest.append("desk", "counts", "a", body(*UNBALANCED), NOON)
            with pytest.raises(Killed):
                first.once()
            assert first.ingest.waiting() == 1
        restarted = replace(dependencies, board=Board(dependencies.catalogue))
        with drain(restarted, valkey) as second:
            assert second.once() == 1
            assert second.ingest.waiting() == 0
        assert "AC-03" in rules(dependencies)
        assert shown(restarted.board) == 10


@pytest.mark.parametrize("cause", [b'{"poison": 1}', body(row("offered", SHENZHEN, 999))], ids=["parsed", "stored"])
def test_a_body_that_is_a_bugs_cause_takes_no_other_down(
    tmp_path: Path, valkey: str, monkeypatch: pytest.MonkeyPatch, cause: bytes
) -> None:
    monkeypatch.setattr("pipeline.flow.stream_consumer.RETRY_S", 0.01)
    with pipeline(tmp_path / "home", Clock()) as dependencies, drain(dependencies, valkey) as one:
        one.ingest.append("desk", "counts", "a", body(row("offered", GUANGZHOU, 5)), NOON)
        one.ingest.append("desk", "counts", "b", cause, NOON)
        one.ingest.append("chat", "counts", "c", body(row("offered", GUANGZHOU, 7)), NOON)
        assert one.once() == 0
        assert (shown(dependencies.board), shown(dependencies.board, channel="chat")) == (5, 7)
        assert one.ingest.waiting() == 1
        while one.ingest.waiting():
            one.once()
        assert [gone.sender_key for gone in dependencies.state.aside.newest(10)] == ["b"]


def test_a_body_waits_for_a_store_that_is_away_however_often_it_is_tried(
    tmp_path: Path, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.flow.stream_consumer.RETRY_S", 0)
    tries = 0

    def judged(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
        nonlocal tries
        tries += 1
        if tries <= 2 * Limits().deliveries:
            raise StoreUnreachable("the store is away")
        judge(dependencies, touched)

    with pipeline(tmp_path / "home", Clock()) as dependencies, drain(dependencies, valkey, judged) as one:
        one.ingest.append("desk", "counts", "a", body(*UNBALANCED), NOON)
        assert [one.once() for _ in range(2 * Limits().deliveries + 1)] == [0] * 2 * Limits().deliveries + [1]
        assert (one.ingest.waiting(), dependencies.state.aside.newest(10)) == (0, [])


def test_a_body_is_not_given_to_another_while_it_is_judged(tmp_path: Path, valkey: str) -> None:
    seen: list[object] = []
    limits = Limits(silent_s=1.0, reclaim_after_s=1.0, beat_s=0.05)

    def judged(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
        with closing(Ingest(valkey, "another", limits)) as another, redis.Redis.from_url(valkey) as client:
            enough = signs_of_life(client) + 25
            eventually(lambda: signs_of_life(client) >= enough, "signs of life for longer than the dead are silent")
            seen.append(another.read(block_ms=10))

    with pipeline(tmp_path / "home", Clock()) as dependencies, closing(Ingest(valkey, "one", limits)) as ingest:
        ingest.append("desk", "counts", "a", body(row("offered", GUANGZHOU, 5)), NOON)
        receivers = receiving([receiver_of(dependencies.catalogue)])
        assert StreamConsumer(dependencies, ingest, receivers, judged).once() == 1
        assert seen == [()]


def test_what_the_door_has_parsed_is_not_parsed_again_and_nothing_else_is_taken_for_it(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as dependencies:
        collector = receiver_of(dependencies.catalogue).collector
        assert isinstance(collector, PushCollector)
        payload = collector.payload(body(row("offered", GUANGZHOU, 5)), NOON)
        ahead = collector.parse_ahead(payload)
        assert collector.parse(replace(payload)) is ahead
        again = collector.parse(payload)
        assert again is not ahead
        pd.testing.assert_frame_equal(again.observations, ahead.observations)
        collector.parse_ahead(payload)
        later = replace(payload, fetched_at=NOON + timedelta(seconds=1))
        assert collector.parse(later) is not ahead
        other = collector.parse(collector.payload(body(row("offered", GUANGZHOU, 6)), NOON))
        assert other.observations is not None
        assert other.observations["value"].tolist() == [6]
