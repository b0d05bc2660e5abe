"""The embedded line-up without its threads: push endpoint, Valkey, consumer, DuckDB and publisher, step after step.

Every part is the product's own; only the clock is ours, so that minutes follow each other as fast as they are taken.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from bench.load import STEP, Load
from collectors import addresses, build
from collectors.receiving import Intake
from config.loading import load as load_catalogue
from config.settings import Settings
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import feeder_of, receiving
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.snapshot.builder import SnapshotBuilder
from pipeline.snapshot.publisher import BEAT_S
from service.dependencies import open_dependencies
from service.process import collect_rarely
from store.facts.duck.schema import SETTINGS
from store.ingest.stream import Ingest
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import Live
from tests.support.installation import installation

AFTER = timedelta(seconds=5)
"""How long after its end a minute is pushed."""


class Clock:
    """A clock that stands where it was put."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Now."""
        return self.now


@dataclass(frozen=True)
class Taken:
    """Seconds from the bytes of one interval to what every screen sees, by step."""

    push: float
    """Parsed, checked, and on Valkey's disk, pushed by all channels at once."""
    consume: float
    """Kept, stored, audited, rolled up."""
    publish: float
    """The snapshot built and sent."""

    @property
    def whole(self) -> float:
        """All steps."""
        return self.push + self.consume + self.publish


class LineUp:
    """Takes one interval after another."""

    def __init__(
        self,
        load: Load,
        dependencies: Dependencies,
        ingest: Ingest,
        live: Live,
        loop: asyncio.Runner,
        valkey_pid: int,
        facts: Path,
    ) -> None:
        self._loop, self._facts = loop, facts
        self.load, self.dependencies, self.ingest, self.live, self.valkey_pid = (
            load,
            dependencies,
            ingest,
            live,
            valkey_pid,
        )
        self.clock = dependencies.clock
        own = [
            feeder_of(channel, source, build(dependencies.catalogue, channel, source, installation()))
            for channel in dependencies.catalogue.channels.values()
            for source in channel.sources[:1]
        ]
        receivers = receiving(own)
        self.consumer = StreamConsumer(dependencies, ingest, receivers)
        self.builder = SnapshotBuilder(dependencies, simulated=True)
        intake = Intake(ingest.append, _refused, {}, self.clock)
        where = addresses(list(receivers.values()), intake)
        routes = [Route(address.path, address.endpoint, methods=address.methods) for address in where]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://endpoint")

    def take(self, minute: datetime, bodies: Mapping[str, bytes]) -> Taken:
        """Everything from the bytes of one minute to the snapshot."""
        assert isinstance(self.clock, Clock)
        self.clock.now = minute + STEP + AFTER
        marks = [time.perf_counter()]
        self._loop.run(self._push(minute, bodies))
        marks.append(time.perf_counter())
        while self.ingest.waiting():
            self.consumer.once()
        marks.append(time.perf_counter())
        self.live.publish(self.builder.build())
        marks.append(time.perf_counter())
        return Taken(*(after - before for before, after in pairwise(marks)))

    def beat(self) -> None:
        """What is done before the next minute: after ten seconds the publisher comes, and the pipeline tidies facts."""
        assert isinstance(self.clock, Clock)
        self.clock.now += timedelta(seconds=BEAT_S)
        self.live.publish(self.builder.build())
        self.dependencies.history.tidy()

    def engine(self) -> duckdb.DuckDBPyConnection:
        """DuckDB itself on the facts, without the product."""
        return duckdb.connect(self._facts, config=SETTINGS)

    async def _push(self, minute: datetime, bodies: Mapping[str, bytes]) -> None:
        """Every channel at once, as they do when a minute has ended."""
        await asyncio.gather(*(self._push_one(channel, minute, body) for channel, body in bodies.items()))

    async def _push_one(self, channel: str, minute: datetime, body: bytes) -> None:
        headers = {
            "Authorization": f"Bearer {self.load.token(channel)}",
            "Idempotency-Key": self.load.key(channel, minute),
            "Content-Type": "application/json",
        }
        answer = await self._client.post(f"/ingest/v1/{channel}", content=body, headers=headers)
        assert answer.status_code == 202, answer.text


@contextmanager
def embedded(load: Load, start: datetime) -> Iterator[LineUp]:
    """The line-up on a folder of its own, at `start`."""
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name), Path(name, "home")
        os.environ |= load.environment
        catalogue = load_catalogue(load.lay_out(folder / "catalogue"))
        with (
            EmbeddedValkey(folder / "valkey") as valkey,
            closing(Ingest(valkey.url)) as ingest,
            closing(Live(valkey.url)) as live,
            asyncio.Runner() as loop,
            open_dependencies(Settings(home_dir=home), catalogue) as dependencies,
        ):
            assert valkey.pid is not None
            collect_rarely()
            yield LineUp(
                load, replace(dependencies, clock=Clock(start)), ingest, live, loop, valkey.pid, home / "facts.duckdb"
            )


def _refused(channel: str, source: str, body: bytes, received_at: datetime) -> None:
    raise AssertionError(f"the push endpoint refused a body of {channel}/{source}: {body[:300]!r}")
