"""The rhythm of a channel's sources: each is asked as often as it says, though one job looks after all of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from pipeline.flow.feeder import Feeder
from pipeline.flow.scheduler import Scheduler
from tests.support.pipeline_world import Clock, feeder, pipeline

FAST_S, SLOW_S = 10, 60


class Rhythm:
    """The job of one channel with a source that is asked often and one that is asked rarely."""

    def __init__(self, scheduler: Scheduler, sources: list[Feeder], asked: list[str]) -> None:
        self._scheduler, self._sources, self._asked = scheduler, sources, asked

    def at(self, seconds: float) -> list[str]:
        """Who is asked when the job comes at that time."""
        self._asked.clear()
        self._scheduler.monotonic = lambda: seconds
        self._scheduler._channel(self._sources)
        return list(self._asked)


@pytest.fixture
def rhythm(tmp_path: Path) -> Iterator[Rhythm]:
    asked: list[str] = []

    def ask(source: Feeder, ended: Event) -> None:
        asked.append(source.source.id)

    with pipeline(tmp_path, Clock()) as dependencies:
        own = feeder(dependencies)
        rhythms = (("fast", FAST_S), ("slow", SLOW_S))
        sources = [
            replace(own, source=own.source.model_copy(update={"id": name, "poll_s": poll_s}))
            for name, poll_s in rhythms
        ]
        yield Rhythm(Scheduler(dependencies, sources, ask, 7), sources, asked)


def test_every_source_is_asked_at_once_and_then_by_its_own_rhythm(rhythm: Rhythm) -> None:
    asked = {seconds: rhythm.at(seconds) for seconds in range(0, 121, FAST_S)}
    assert [seconds for seconds, names in asked.items() if "slow" in names] == [0, 60, 120]
    assert all("fast" in names for names in asked.values())


def test_a_job_that_comes_a_little_early_skips_nothing(rhythm: Rhythm) -> None:
    """The timer of a job wavers: a source that is due in less than a tenth of its rhythm is asked now."""
    rhythm.at(100)
    asked = {seconds: rhythm.at(seconds) for seconds in (108, 109, 117, 118, 153, 154)}
    assert asked == {108: [], 109: ["fast"], 117: [], 118: ["fast"], 153: ["fast"], 154: ["slow"]}
