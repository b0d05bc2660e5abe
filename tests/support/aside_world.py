"""A pipeline whose push source trips over one figure: what it cannot count is kept aside."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.push import PushCollector
from metrics.observations import Interval, Payload
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import ReceivingFeeder, SourceKey
from pipeline.flow.judging import Judge, judge
from pipeline.flow.stream_consumer import StreamConsumer
from store.ingest.stream import Ingest, Limits
from store.state.aside import AsideBody
from store.state.open_finding import OpenFinding
from tests.support.pipeline_world import GUANGZHOU, NOON, SHENZHEN, Clock, pipeline, receiver_of, row
from tests.support.push_world import body

HOUR = Interval(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
GOOD = body(row("offered", GUANGZHOU, 5))
POISON = body(row("offered", SHENZHEN, 666))
SOON = Limits(reclaim_after_s=0)


class Tripping(PushCollector):
    """Trips over one figure as a bug would."""

    def parse(self, payload: Payload) -> Any:
        if b"666" in payload.data:
            raise KeyError("a bug that names a figure: 666")
        return super().parse(payload)


@dataclass
class World:
    """A pipeline on real stores, the stream before it, and its clock."""

    dependencies: Dependencies
    ingest: Ingest
    clock: Clock
    feeders: dict[SourceKey, ReceivingFeeder] = field(default_factory=dict)

    def push(self, data: bytes, key: str = "k", channel: str = "desk", at: datetime = NOON) -> str:
        return self.ingest.append(channel, "counts", key, data, at).id

    def consumer(self, judged: Judge = judge) -> StreamConsumer:
        return StreamConsumer(self.dependencies, self.ingest, self.feeders, judged)

    def drained(self) -> None:
        """Take all that waits to where it belongs."""
        consumer = self.consumer()
        while self.ingest.waiting():
            consumer.once()

    def figures(self, known_at: datetime | None = None) -> Mapping[str, float]:
        """What is stored of the desk in an hour, by region."""
        rows = self.dependencies.history.observations(HOUR, ("desk",), known_at)
        return dict(zip(rows["region"].astype(str), rows["value"].tolist(), strict=True))

    def kept(self) -> list[AsideBody]:
        return self.dependencies.state.aside.newest(100)

    def findings(self) -> list[OpenFinding]:
        return [one for one in self.dependencies.state.findings.open() if one.rule == "CP-05"]

    def trail(self) -> list[tuple[str, str]]:
        return [(deed.who, deed.what) for deed in self.dependencies.state.users.trail()]

    def mended(self) -> None:
        """The bug is gone, as after a restart with a new version."""
        self.feeders["desk", "counts"] = receiver_of(self.dependencies.catalogue)


@contextmanager
def aside_world(home: Path, valkey: str, limits: Limits = SOON) -> Iterator[World]:
    """The pipeline over a folder and a Valkey."""
    clock = Clock()
    with closing(Ingest(valkey, limits=limits)) as ingest, pipeline(home, clock) as dependencies:
        desk = receiver_of(dependencies.catalogue)
        assert isinstance(desk.collector, PushCollector)
        tripping = replace(desk, collector=Tripping(desk.collector._plan))
        yield World(dependencies, ingest, clock, {("desk", "counts"): tripping})
