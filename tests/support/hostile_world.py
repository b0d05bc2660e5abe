"""Hostile pushes and files against the real door and the real turn, and what came of them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from starlette.applications import Starlette

from collectors import build
from collectors.push.endpoint import PushEndpoint
from collectors.receiving import Intake
from config.catalogue import Catalogue, Kind, Level
from config.loading import load
from config.settings import Settings
from data_quality import audit
from metrics.findings import CheckState
from metrics.observations import Interval, SourceFault, decode_dimensions
from pipeline.dependencies import Dependencies
from pipeline.flow.evidence import evidence
from pipeline.flow.feeder import ReceivingFeeder, feeder_of
from pipeline.flow.judging import Touched, judge, together
from pipeline.flow.refusals import note_refusal
from pipeline.flow.stream_consumer import StreamConsumer
from pipeline.flow.turn import turn_with_file
from service.dependencies import open_dependencies
from service.web import INTAKE_FAILURES
from store.ingest.stream import Ingest
from store.valkey.embedded import EmbeddedValkey
from tests.support.hostile_files import HostileFile
from tests.support.hostile_pushes import Push
from tests.support.installation import installation
from tests.support.push_world import FOLDER, collectors, routes

FILES_FOLDER = Path(__file__).parent / "catalogues" / "files"
RULES = {"AC-01", "AC-02", "TY-01", "TY-03"}
"""The rules that say that a stored value cannot be."""


@dataclass
class Tally:
    """What came of it; everything but `answers` and `told` must stay empty."""

    answers: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    """Faults named, by code."""
    crashes: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    """Refusals that do not name what is wrong."""
    impossible: list[str] = field(default_factory=list)
    """Stored cells that cannot be, without a finding that says so."""
    stored: int = 0
    doubted: int = 0
    """Stored cells that cannot be and of which a finding says so."""

    @property
    def server_errors(self) -> int:
        """Answers from 500 on."""
        return sum(number for status, number in self.answers.items() if status.isdecimal() and int(status) >= 500)


class PushTrial:
    """The door before a real Valkey, drained into a real store."""

    def __init__(self, dependencies: Dependencies, ingest: Ingest, tally: Tally) -> None:
        self.dependencies, self.tally = dependencies, tally
        catalogue = dependencies.catalogue
        made = self.collectors = collectors(catalogue)
        self.feeders = feeders = {
            (name, source.id): ReceivingFeeder(catalogue.channels[name], source, collector)
            for name, collector in made.items()
            for source in catalogue.channels[name].sources[:1]
        }
        intake = Intake(ingest.append, self._note_refusal, INTAKE_FAILURES, dependencies.clock)
        self._app = Starlette(routes=routes(PushEndpoint(made, intake)))
        self.consumer = StreamConsumer(dependencies, ingest, feeders)
        self.loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://door")

    def push(self, push: Push) -> httpx.Response | None:
        """Send one push and judge its answer; None: it crashed."""
        try:
            answer = self.loop.run_until_complete(self._client.post(push.path, content=push.body, headers=push.headers))
        except Exception as error:
            self.tally.crashes.append(
                f"{type(error).__name__}: {error} on {push.path} {push.headers} {push.body[:300]!r}"
            )
            return None
        self.tally.answers[str(answer.status_code)] += 1
        if answer.status_code not in (202, 307, 404) and not self._names_its_fault(answer):
            self.tally.unnamed.append(f"{answer.status_code} {answer.text[:300]}")
        return answer

    def drained(self) -> None:
        """Take everything that waits to the store."""
        while self.consumer.ingest.waiting():
            self.consumer.once()
            if self.consumer.failing:
                self.tally.crashes.append("the drain failed; see the log")
                return

    def close(self) -> None:
        """Let the client and its loop go."""
        self.loop.run_until_complete(self._client.aclose())
        self.loop.close()

    def _note_refusal(self, channel: str, source: str, body: bytes, received_at: datetime) -> None:
        """At once, what the stream consumer does when the body comes to it."""
        feeder = self.feeders[channel, source]
        payload = feeder.collector.payload(body, received_at)
        try:
            note_refusal(self.dependencies, feeder, payload, feeder.collector.parse(payload), None)
        except SourceFault as fault:
            note_refusal(self.dependencies, feeder, payload, None, fault)

    def _names_its_fault(self, answer: httpx.Response) -> bool:
        told = answer.json()
        if answer.status_code == 422:
            codes = [one["code"] for one in told["faults"]]
            self.tally.told.update(codes)
            words = self.dependencies.catalogue.words
            return bool(codes) and all(f"reject.{code}" in words for code in codes)
        return bool(told["error"]) and bool(told["detail"])


class FileTrial:
    """The turn, with hostile files in a source's stead."""

    def __init__(self, dependencies: Dependencies, folder: Path, tally: Tally) -> None:
        self.dependencies, self.folder, self.tally = dependencies, folder, tally
        self.feeders = {
            channel.id: feeder_of(channel, source, build(dependencies.catalogue, channel, source, installation()))
            for channel in dependencies.catalogue.channels.values()
            for source in channel.sources
        }
        self.judged: list[Interval] = []
        """Every piece of time that was judged."""
        self._number = 0

    def take(self, file: HostileFile) -> None:
        """Write one file and read it to its end."""
        self._number += 1
        path = self.folder / f"{self._number}-{file.name}"
        path.write_bytes(file.data)
        try:
            feeder, job = self.feeders[file.channel], f"file:{self._number}"
            while (batch := turn_with_file(self.dependencies, feeder, job, path, self._note)).payload:
                if batch.error is not None or not batch.payload.more:
                    break
        except Exception as error:
            self.tally.crashes.append(f"{type(error).__name__}: {error} on {file.name} {file.data[:300]!r}")
            return
        finally:
            path.unlink()
        if batch.error is not None:
            self._judge(f"{file.channel} fault", [("fault", batch.error.code)], batch.error.detail)
        elif batch.parsed is not None:
            codes = [("reject", one.code) for one in batch.parsed.rejects]
            self._judge(f"{file.channel} {'rejects' if codes else 'taken'}", codes, "rejects")

    def _note(self, dependencies: Dependencies, touched: Sequence[Touched]) -> None:
        self.judged += [span for span, _ in together(touched)]
        judge(dependencies, touched)

    def _judge(self, outcome: str, codes: list[tuple[str, str]], detail: str) -> None:
        self.tally.answers[outcome] += 1
        self.tally.told.update(code for _, code in codes)
        if not detail or any(f"{family}.{code}" not in self.dependencies.catalogue.words for family, code in codes):
            self.tally.unnamed.append(f"{outcome}: {codes} {detail}")


@contextmanager
def push_trial(folder: Path) -> Iterator[PushTrial]:
    """A door, a Valkey and a store under a folder."""
    catalogue = load(FOLDER)
    with (
        EmbeddedValkey(folder / "valkey") as valkey,
        closing(Ingest(valkey.url)) as ingest,
        open_dependencies(Settings(home_dir=folder), catalogue) as dependencies,
        closing(PushTrial(dependencies, ingest, Tally())) as trial,
        _quietly(),
    ):
        yield trial


@contextmanager
def file_trial(folder: Path) -> Iterator[FileTrial]:
    """A store under a folder, and the collectors that read files."""
    (folder / "files").mkdir()
    with open_dependencies(Settings(home_dir=folder), load(FILES_FOLDER)) as dependencies, _quietly():
        yield FileTrial(dependencies, folder / "files", Tally())


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings of hundreds of hostile things."""
    log = logging.getLogger("watchfloor")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def audit_everything(dependencies: Dependencies, tally: Tally) -> None:
    """Look at every stored row with eyes of our own, and then whether the audit has seen what we see."""
    everything = Interval(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
    rows = dependencies.history.observations(everything)
    tally.stored = len(rows)
    wrong = rows[impossible(rows, dependencies.catalogue, dependencies.clock())]
    for (channel, hour), own in wrong.groupby([wrong["channel"].astype(str), wrong["start"].dt.floor("h")]):
        found = audit(evidence(dependencies, Interval(hour, hour + timedelta(hours=1)), (channel,)))
        said = [one for one in found if one.state is CheckState.FAIL and one.rule in RULES]
        for measure, region in set(zip(own["measure"].astype(str), own["region"].astype(str), strict=True)):
            above = {dependencies.catalogue.ancestor(region, level) for level in Level} | {""}
            # Several measures, or the cities of one province, with the same trouble are one finding.
            if any(one.measure in (measure, "") and one.region in above for one in said):
                tally.doubted += 1
            else:
                tally.impossible.append(f"{channel} {measure} {region} {hour}")


def impossible(rows: pd.DataFrame, catalogue: Catalogue, now: datetime) -> pd.Series:
    """Which stored rows cannot be: judged row by row and cell by cell, without the audit's own machinery."""
    bad = pd.Series(False, index=rows.index)
    if rows.empty:
        return bad
    measures = [catalogue.measures[name] for name in rows["measure"]]
    value = rows["value"].to_numpy()
    lowest = np.array([one.minimum for one in measures])
    highest = np.array([np.inf if one.maximum is None else one.maximum for one in measures])
    counts = np.array([one.unit == "n" and one.kind is Kind.ADDITIVE for one in measures])
    bad |= ~np.isfinite(value) | (value < lowest) | (counts & (value != np.rint(value)))
    cell = [rows["channel"].astype(str), rows["measure"].astype(str), rows["region"].astype(str), rows["start"]]
    bad |= (rows["value"].groupby(cell).transform("sum") > highest) & ~rows["reported"]
    bad |= np.array([not catalogue.regions[code].served for code in rows["region"]])
    bad |= np.array(
        [_has_unknown_code(catalogue, *row) for row in zip(rows["channel"], rows["dimension"], strict=True)]
    )
    seconds = np.array([catalogue.channels[name].interval_s for name in rows["channel"]])
    bad |= rows["start"].astype("int64").to_numpy() % seconds != 0
    return bad | (rows["start"] > now + timedelta(minutes=2)) | (rows["start"].dt.year < 1990)


def _has_unknown_code(catalogue: Catalogue, channel: str, dimension: str) -> bool:
    closed = catalogue.channels[channel].dimensions
    return any(value not in closed.get(name, (value,)) for name, value in decode_dimensions(dimension).items())


def flawless(tally: Tally) -> None:
    assert tally.crashes == []
    assert tally.server_errors == 0
    assert tally.unnamed == []
    assert tally.impossible == []
