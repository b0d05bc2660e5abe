"""The wheel: its rhythm when the clock is set back, and what is told when the stores are away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, current_thread

import pytest

from collectors.push import PushCollector
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import Feeder
from pipeline.flow.scheduler import Scheduler
from store.faults import BadTable, StoreUnreachable
from tests.support.pipeline_world import feeder, pipeline

PATIENCE_S = 10
WATCH = "clock watch"


class SetClock:
    """The machine's clock as the wheel reads it, some way off."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead
        self.watched = Event()
        """Set when the watch over the clock has read it."""

    def __call__(self) -> datetime:
        now = datetime.now(UTC) + self.ahead
        if current_thread().name == WATCH:
            self.watched.set()
        return now


@contextmanager
def turning(wheel: Scheduler) -> Iterator[Scheduler]:
    wheel.start()
    try:
        yield wheel
    finally:
        wheel.stop()


def polled_feeder(dependencies: Dependencies) -> Feeder:
    """A source that somebody has to ask."""
    own = feeder(dependencies)
    assert isinstance(own.collector, PushCollector)
    return replace(own, source=own.source.model_copy(update={"kind": "sql", "poll_s": 3600}))


def test_a_clock_that_is_set_back_delays_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The wheel is started at a time that lies in the future of the clock that its scheduler then reads."""
    clock, asked = SetClock(timedelta(minutes=5)), Event()
    with pipeline(tmp_path, clock) as dependencies:
        wheel = Scheduler(dependencies, [polled_feeder(dependencies)], lambda feeder, ended: asked.set(), 7)
        with caplog.at_level(logging.WARNING, "watchfloor.wheel"), turning(wheel):
            planned = [job.next_run_time for job in wheel.scheduler.get_jobs()]
            assert min(planned) > datetime.now(UTC) + timedelta(minutes=4)
            assert not asked.is_set()
            assert clock.watched.wait(PATIENCE_S)
            clock.ahead = timedelta()
            assert asked.wait(PATIENCE_S)
    assert "the clock was stepped by -300 s" in caplog.text


def test_a_store_that_is_away_is_told_once_and_so_is_its_return(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: list[Exception | None] = [
        StoreUnreachable("nobody answers"),
        StoreUnreachable("nobody answers"),
        None,
        None,
    ]

    def job() -> None:
        if (error := outcomes.pop(0)) is not None:
            raise error

    with pipeline(tmp_path, SetClock(timedelta())) as dependencies:
        wheel = Scheduler(dependencies, [], lambda feeder, ended: None, 7)
        with caplog.at_level(logging.WARNING, "watchfloor.wheel"):
            while outcomes:
                wheel._do("rolling", job)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["rolling cannot be done: nobody answers", "rolling is done again"]


def test_a_fault_that_does_not_pass_is_not_taken_for_a_store_that_is_away(tmp_path: Path) -> None:
    def job() -> None:
        raise BadTable("a column is missing")

    with pipeline(tmp_path, SetClock(timedelta())) as dependencies:
        wheel = Scheduler(dependencies, [], lambda feeder, ended: None, 7)
        with pytest.raises(BadTable):
            wheel._do("rolling", job)
        assert wheel.failing == set()
