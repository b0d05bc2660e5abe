"""A small catalogue of two pushing channels over the real regions, and parts of a pipeline on a folder of their own."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from analysis.questions.stores import Stores
from collectors import Ask, build
from config.catalogue import Catalogue
from config.loading import load
from config.settings import Settings
from metrics.observations import Interval, Parsed, Payload, SourceFault
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import PolledFeeder, ReceivingFeeder, feeder_of
from service.dependencies import open_dependencies
from tests.support.installation import installation

FOLDER = Path(__file__).parent / "catalogues" / "pipeline"
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""
GUANGZHOU, SHENZHEN, WUHAN = "440100", "440300", "420100"


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def pipeline(home: Path, clock: Callable[[], datetime], catalogue: Catalogue | None = None) -> Iterator[Dependencies]:
    """Real parts under a folder, with a clock of the test's."""
    with open_dependencies(Settings(home_dir=home), catalogue or load(FOLDER)) as dependencies:
        yield replace(dependencies, clock=clock)


def feeder(dependencies: Dependencies, channel: str = "desk", collector: Any = None) -> PolledFeeder:
    """The feeder of a channel's only source, as if it were asked: by another collector than its own, or by none."""
    noun = dependencies.catalogue.channels[channel]
    [source] = noun.sources
    return PolledFeeder(noun, source, collector)


def receiver_of(catalogue: Catalogue, channel: str = "desk") -> ReceivingFeeder:
    """The feeder of a channel's only source, which pushes."""
    noun = catalogue.channels[channel]
    [source] = noun.sources
    made = feeder_of(noun, source, build(catalogue, noun, source, installation()))
    assert isinstance(made, ReceivingFeeder)
    return made


def row(measure: str, region: str, value: float, at: datetime = NOON, **dimensions: str) -> dict[str, Any]:
    """One pushed observation of the minute before `at`."""
    start = (at - timedelta(minutes=1)).isoformat()
    return {"measure": measure, "region": region, "start": start, "value": value, "dimensions": dimensions}


class Scripted:
    """A source that answers what a test lays before it: bodies or faults, one a turn."""

    def __init__(self, dependencies: Dependencies, answers: list[Any], channel: str = "desk") -> None:
        self.inner = receiver_of(dependencies.catalogue, channel).collector
        self.answers = list(answers)
        self.asked: list[Ask] = []
        self.minutes = 1
        self.window: Interval | None = None
        """What the answers cover; None: the last minutes."""

    def fetch(self, ask: Ask) -> Payload:
        self.asked.append(ask)
        answer = self.answers.pop(0)
        if isinstance(answer, SourceFault):
            raise answer
        data = json.dumps({"observations": answer}).encode()
        window = self.window or Interval(ask.now - timedelta(minutes=self.minutes), ask.now)
        return Payload(data, ask.now, window, "script", ask.cursor)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        return self.inner.fetch_file(path, ask)

    def parse(self, payload: Payload) -> Parsed:
        parsed = self.inner.parse(payload)
        return replace(parsed, cursor={"turns": payload.cursor.get("turns", 0) + 1})


def stores(dependencies: Dependencies) -> Stores:
    """Where answers come from."""
    return Stores(dependencies.catalogue, dependencies.history, dependencies.state, dependencies.clock)


def pass_time(dependencies: Dependencies, span: timedelta) -> None:
    clock = dependencies.clock
    assert isinstance(clock, Clock)
    clock.now += span
