"""Steps 2 and 3 of a turn: the payload as it came, then its tables, then the record that it came."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

import pandas as pd

from data_quality.row_rules import audit_rejects, audit_rows
from metrics.findings import Finding
from metrics.observations import Batch, Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.batches import joined, reads_on, spanned, starts_of
from pipeline.flow.feeder import LIVE, Feeder
from pipeline.flow.judging import Touched
from store.facts.history import ASIDE_COLUMNS, BatchStamp


def enter(dependencies: Dependencies, harvests: Sequence[tuple[Feeder, Batch]], job: str = LIVE) -> list[Touched]:
    """Steps 2 and 3 for batches that are here; gives what is to be judged.

    A table that is refused takes the others down with it: then whoever calls enters them one after another.
    """
    batches = [batch for _, batch in harvests]
    with ThreadPoolExecutor(1, "keep") as beside:  # payloads wait for the disk while tables are merged
        paths = beside.map(partial(keep, dependencies), batches)
        changed = store(dependencies, batches)
    dependencies.state.batches.keep_all(list(zip(batches, paths, strict=True)), dependencies.clock())
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


def keep(dependencies: Dependencies, batch: Batch) -> str:
    """Step 2: the bytes as they came, and what could not be counted, for the steward; gives where the bytes are."""
    keep_rejects(dependencies, batch)
    if batch.payload is None or not batch.payload.data:
        return ""
    return dependencies.payloads.keep(batch.payload.data, batch.digest, batch.fetched_at)


def keep_rejects(dependencies: Dependencies, batch: Batch) -> None:
    """Keep the records of a batch that could not be counted, for the steward."""
    if batch.parsed is not None and batch.parsed.rejects:
        aside = pd.DataFrame([asdict(reject) for reject in batch.parsed.rejects]).assign(kept=False)
        dependencies.history.keep_aside(BatchStamp.of(batch), aside[list(ASIDE_COLUMNS)])


def store(dependencies: Dependencies, batches: Sequence[Batch]) -> list[Interval | None]:
    """Step 3: write the tables; gives the spans of intervals that changed.

    The records of the batches follow: an audit that runs beside this turn must not see a batch without its rows.
    """
    spans: list[list[Interval | None]] = [[] for _ in batches]
    tables: dict[int, tuple[BatchStamp, pd.DataFrame]] = {}
    for at, batch in enumerate(batches):
        if batch.parsed is not None and batch.parsed.observations is not None:
            tables[at] = BatchStamp.of(batch), batch.parsed.observations
    all_written = dependencies.history.write_all(list(tables.values())) if tables else ()
    for at, written in zip(tables, all_written, strict=True):
        spans[at].append(written.touched)
    for own, batch in zip(spans, batches, strict=True):
        if batch.parsed is not None and batch.parsed.contributions is not None:
            own.append(dependencies.history.contribute(BatchStamp.of(batch), batch.parsed.contributions).touched)
    return [joined(own) for own in spans]


def audit_source_rows(feeder: Feeder, batch: Batch) -> list[Finding]:
    """What the rows show as the source gave them, and what could not be counted; noted with the audit's findings."""
    rows = batch.parsed.rows if batch.parsed else None
    looked_at = [] if rows is None else audit_rows(rows, feeder.source, feeder.channel.id, batch.id)
    return looked_at + audit_rejects(batch)
