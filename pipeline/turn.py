"""The turn: the whole way of one source's figures, from the channel system to the screens.

Read this first: everything else in the product is one of these steps.

    1 collect   ask the source; what it answers, or that it did not answer, is a batch
    2 keep      the payload as it came, for seven days
    3 store     the newer revision wins; the same batch twice changes nothing; then the record that it came
    4 audit     what is late, missing, impossible or inconsistent becomes a finding
    5 roll up   the board adds what is stored to every place above it
    6 settle    only now the cursor moves: a crash before this repeats the batch, which changes nothing
    7 snapshot, 8 publish: the publisher is woken (`pipeline/publisher.py`)

Steps 2, 3 and 6 belong to one batch; 4 and 5 are done once for all that came together (`pipeline/judging.py`).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pandas as pd

from collectors import Ask, Collector
from config.catalogue import Channel, Source
from data_quality.row_rules import audit_rejects, audit_rows
from metrics.findings import Finding
from metrics.intervals import floor_to
from metrics.observations import Batch, Interval, Parsed, Payload, SourceFault
from pipeline.judging import Judge, Touched, judge
from pipeline.parts import Parts
from store.history import ASIDE_COLUMNS, BatchStamp
from store.state.progress import Outcome

log = logging.getLogger("watchfloor.turn")
LIVE = "live"
"""Job name of the running service; a back-fill keeps its own cursor under its own name."""
MOST_IN_ONE_GO = 200
"""Payloads of one source in one run, so that a long file cannot keep the other sources of its channel waiting."""
FIRST_LOOK = timedelta(hours=1)
"""How far back a source is read that was never read before."""


@dataclass(frozen=True)
class Feeder:
    """One source of one channel, and the collector that reads it."""

    channel: Channel
    source: Source
    collector: Collector


def follow(parts: Parts, feeder: Feeder, ended: Event, judged: Judge = judge) -> None:
    """Take turns with a source until it has no more to give, or until it is ended."""
    for _ in range(MOST_IN_ONE_GO):
        batch = turn(parts, feeder, judged=judged)
        if ended.is_set() or batch.payload is None or not batch.payload.more or batch.error is not None:
            return


def turn(parts: Parts, feeder: Feeder, job: str = LIVE, file: Path | None = None, judged: Judge = judge) -> Batch:
    """Take one turn with a source, or with a file in its stead; never raises for what a source does."""
    ask = due(parts, feeder, job)
    if file is None:
        batch = collect(parts, feeder, ask, lambda: feeder.collector.fetch(ask))
    else:
        batch = collect(parts, feeder, ask, lambda: feeder.collector.fetch_file(file, ask))
        batch = replace(batch, window=span_of(batch, feeder.channel))
    judged(parts, enter(parts, [(feeder, batch)], job))
    settle(parts, [batch], job)
    parts.wake()
    return batch


def enter(parts: Parts, harvests: Sequence[tuple[Feeder, Batch]], job: str = LIVE) -> list[Touched]:
    """Steps 2 and 3 for batches that are here; gives what is to be judged.

    A table that is refused takes the others down with it: then whoever calls enters them one after another.
    """
    batches = [batch for _, batch in harvests]
    with ThreadPoolExecutor(1, "keep") as beside:  # payloads wait for the disk while tables are merged
        paths = beside.map(partial(keep, parts), batches)
        changed = store(parts, batches)
    parts.state.batches.keep_all(list(zip(batches, paths, strict=True)), parts.clock())
    return [touched(feeder, batch, job, span) for (feeder, batch), span in zip(harvests, changed, strict=True)]


def touched(feeder: Feeder, batch: Batch, job: str, changed: Interval | None) -> Touched:
    """What is to be judged because of a batch that is stored.

    That is what the batch speaks of as well as what it changed: it may have been stored before by a turn that was
    killed before it judged.
    """
    starts = starts_of(batch)
    said = spanned(starts, feeder.channel) if starts else None
    covered = batch.window.end if reads_on(batch, job) else None
    findings = tuple(audit_source_rows(feeder, batch))
    return Touched(batch.id, batch.channel, batch.source, joined([changed, said]), tuple(starts), covered, findings)


def reads_on(batch: Batch, job: str) -> bool:
    """Whether a batch moves the time up to which its source has been read."""
    return job == LIVE and batch.error is None and batch.payload is not None and not batch.payload.more


def due(parts: Parts, feeder: Feeder, job: str) -> Ask:
    """What to ask for: from where the source was covered (less what may still settle) to the last full interval."""
    now = parts.clock()
    status = parts.state.progress.sources().get((feeder.channel.id, feeder.source.id))
    zone = ZoneInfo(feeder.channel.zone)
    end = floor_to(now, feeder.channel.interval_s, zone)
    start = end - FIRST_LOOK
    if status is not None and status.covered_until is not None:
        start = max(start, status.covered_until - timedelta(seconds=feeder.channel.settle_s))
    start = min(floor_to(start, feeder.channel.interval_s, zone), end)
    cursor = parts.state.progress.cursor(feeder.channel.id, feeder.source.id, job)
    return Ask(Interval(start, end), cursor, now)


def collect(parts: Parts, feeder: Feeder, ask: Ask, read: Callable[[], Payload]) -> Batch:
    """Step 1: fetch and parse; a fault of the source becomes a batch that carries it."""
    payload: Payload | None = None
    parsed: Parsed | None = None
    error: SourceFault | None = None
    try:
        payload = read()
        parsed = feeder.collector.parse(payload)
    except SourceFault as fault:
        error = fault
    return make_batch(feeder, ask, payload, parsed, error)


def span_of(batch: Batch, channel: Channel) -> Interval:
    """The time that a file's tables are about; the file was read today, but says nothing of today."""
    starts = starts_of(batch)
    return spanned(starts, channel) if starts else Interval(batch.window.start, batch.window.start)


def spanned(starts: Sequence[datetime], channel: Channel) -> Interval:
    """From the first of some intervals to the end of the last."""
    return Interval(min(starts), max(starts) + timedelta(seconds=channel.interval_s))


def starts_of(batch: Batch) -> list[datetime]:
    """Every start that a batch's tables name, once."""
    tables = (batch.parsed.observations, batch.parsed.contributions) if batch.parsed else ()
    return [start.to_pydatetime() for table in tables if table is not None for start in table["start"].unique()]


def make_batch(
    feeder: Feeder, ask: Ask, payload: Payload | None, parsed: Parsed | None, error: SourceFault | None = None
) -> Batch:
    """Name a harvest by what it holds, so that the same payload from the same cursor is the same batch."""
    digest = hashlib.sha256(payload.data if payload else b"").hexdigest()
    window = (parsed and parsed.window) or (payload.window if payload else ask.window)
    at = payload.fetched_at if payload else ask.now
    told = [feeder.channel.id, feeder.source.id, digest, window.start.isoformat(), window.end.isoformat()]
    told += [json.dumps(dict(ask.cursor), sort_keys=True)] if error is None else [at.isoformat(), str(error)]
    name = hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]
    numbered = parsed.revision if parsed else None
    revision = int(at.timestamp() * 1000) if numbered is None else numbered
    return Batch(name, feeder.channel.id, feeder.source.id, window, at, digest, payload, parsed, error, revision)


def keep(parts: Parts, batch: Batch) -> str:
    """Step 2: the bytes as they came, and what could not be counted, for the steward; gives where the bytes are."""
    if batch.parsed is not None and batch.parsed.rejects:
        aside = pd.DataFrame([asdict(reject) for reject in batch.parsed.rejects]).assign(kept=False)
        parts.history.keep_aside(BatchStamp.of(batch), aside[list(ASIDE_COLUMNS)])
    if batch.payload is None or not batch.payload.data:
        return ""
    return parts.payloads.keep(batch.payload.data, batch.digest, batch.fetched_at)


def store(parts: Parts, batches: Sequence[Batch]) -> list[Interval | None]:
    """Step 3: write the tables; gives the spans of intervals that changed.

    The records of the batches follow: an audit that runs beside this turn must not see a batch without its rows.
    """
    spans: list[list[Interval | None]] = [[] for _ in batches]
    tables: dict[int, tuple[BatchStamp, pd.DataFrame]] = {}
    for at, batch in enumerate(batches):
        if batch.parsed is not None and batch.parsed.observations is not None:
            tables[at] = BatchStamp.of(batch), batch.parsed.observations
    all_written = parts.history.write_all(list(tables.values())) if tables else ()
    for at, written in zip(tables, all_written, strict=True):
        spans[at].append(written.touched)
    for own, batch in zip(spans, batches, strict=True):
        if batch.parsed is not None and batch.parsed.contributions is not None:
            own.append(parts.history.contribute(BatchStamp.of(batch), batch.parsed.contributions).touched)
    return [joined(own) for own in spans]


def joined(spans: Iterable[Interval | None]) -> Interval | None:
    """From the start of the first to the end of the last."""
    known = [span for span in spans if span is not None]
    return Interval(min(span.start for span in known), max(span.end for span in known)) if known else None


def audit_source_rows(feeder: Feeder, batch: Batch) -> list[Finding]:
    """What the rows show as the source gave them, and what could not be counted; noted with the audit's findings."""
    rows = batch.parsed.rows if batch.parsed else None
    looked_at = [] if rows is None else audit_rows(rows, feeder.source, feeder.channel.id, batch.id)
    return looked_at + audit_rejects(batch)


def settle(parts: Parts, batches: Sequence[Batch], job: str = LIVE) -> None:
    """Step 6: move the cursors, and say once that a source is lost or back."""
    now = parts.clock()
    outcomes = [outcome_of(batch, job) for batch in batches]
    for batch, outcome in zip(batches, outcomes, strict=True):
        if not outcome.error and batch.parsed and batch.parsed.cursor:  # what pushes has no place to go on from
            parts.state.progress.keep_cursor(batch.channel, batch.source, dict(batch.parsed.cursor), now, job)
    for outcome, before in zip(outcomes, parts.state.progress.note(outcomes, now), strict=True):
        failing = before.failing_since is not None
        if outcome.error and not failing:
            log.warning("%s/%s lost: %s", outcome.channel, outcome.source, outcome.error)
        if failing and not outcome.error:
            log.warning("%s/%s back", outcome.channel, outcome.source)


def outcome_of(batch: Batch, job: str) -> Outcome:
    """What a batch says of its source's health."""
    if batch.error is not None or batch.parsed is None or batch.payload is None:
        return Outcome(batch.channel, batch.source, error=str(batch.error or "unknown"))
    return Outcome(batch.channel, batch.source, batch.window.end if reads_on(batch, job) else None)
