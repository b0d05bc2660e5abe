"""The scheduler: its rhythm when the clock is set back, and what is told when the stores are away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, current_thread

import pytest

from config.jobs import Job
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import PolledFeeder
from pipeline.flow.polling import polling_jobs
from pipeline.flow.scheduler import Scheduler
from store.faults import BadTable, StoreUnreachable
from tests.support.pipeline_world import feeder, pipeline

PATIENCE_S = 10
WATCH = "clock watch"


class SetClock:
    """The machine's clock as the scheduler reads it, some way off."""

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
def turning(scheduler: Scheduler) -> Iterator[Scheduler]:
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.stop()


def polled_feeder(dependencies: Dependencies) -> PolledFeeder:
    """A source that somebody has to ask."""
    own = feeder(dependencies)
    return replace(own, source=own.source.model_copy(update={"poll_s": 3600}))


def test_a_clock_that_is_set_back_delays_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The scheduler is started at a time that lies in the future of the clock that its scheduler then reads."""
    clock, asked = SetClock(timedelta(minutes=5)), Event()
    with pipeline(tmp_path, clock) as dependencies:
        ended = Event()
        jobs = polling_jobs([polled_feeder(dependencies)], lambda feeder, ended: asked.set(), ended)
        scheduler = Scheduler(jobs, clock, ended)
        with caplog.at_level(logging.WARNING, "watchfloor.scheduler"), turning(scheduler):
            planned = [job.next_run_time for job in scheduler.scheduler.get_jobs()]
            assert min(planned) > datetime.now(UTC) + timedelta(minutes=4)
            assert not asked.is_set()
            assert clock.watched.wait(PATIENCE_S)
            clock.ahead = timedelta()
            assert asked.wait(PATIENCE_S)
    assert "the clock was stepped by -300 s" in caplog.text


def test_a_store_that_is_away_is_told_once_and_so_is_its_return(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [
        StoreUnreachable("nobody answers"),
        StoreUnreachable("nobody answers"),
        None,
        None,
    ]

    def roll() -> None:
        if (error := outcomes.pop(0)) is not None:
            raise error

    job = Job("rolling", 60, roll)
    scheduler = Scheduler([job], SetClock(timedelta()), Event())
    with caplog.at_level(logging.WARNING, "watchfloor.scheduler"):
        while outcomes:
            scheduler._do(job)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["rolling cannot be done: nobody answers", "rolling is done again"]


def test_a_fault_that_does_not_pass_is_not_taken_for_a_store_that_is_away() -> None:
    def roll() -> None:
        raise BadTable("a column is missing")

    job = Job("rolling", 60, roll)
    scheduler = Scheduler([job], SetClock(timedelta()), Event())
    with pytest.raises(BadTable):
        scheduler._do(job)
    assert scheduler.failing == set()
