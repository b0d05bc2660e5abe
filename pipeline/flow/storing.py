"""Steps 2 and 3 of a turn: the payload as it came, then its tables, then the record that it came.

What the rows of a batch show as the source gave them is found here too, once, and stands in that record: the audit adds
it up for every span that the batch touches, and what is wrong is a finding until the same rows are seen right.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

import pandas as pd

from data_quality.row_rules import audit_batch
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
    remember(dependencies, harvests, list(paths))
    return [touched(feeder, batch, job, span) for (feeder, batch), span in zip(harvests, changed, strict=True)]


def remember(dependencies: Dependencies, harvests: Sequence[tuple[Feeder, Batch]], paths: Sequence[str]) -> None:
    """The records of batches, each with the path of its payload and with what its rows show."""
    state, now = dependencies.state, dependencies.clock()
    of_rows = [audit_batch(batch, feeder.source) for feeder, batch in harvests]
    kept = [(batch, path, found) for (_, batch), path, found in zip(harvests, paths, of_rows, strict=True)]
    records = state.batches.keep_all(kept, now)
    looked_at = {record.id for record in records}
    found = [finding for own in of_rows for finding in own]
    state.findings.record_rows(found, looked_at, state.batches.replaced_beside(records), now)


def touched(feeder: Feeder, batch: Batch, job: str, changed: Interval | None) -> Touched:
    """What is to be judged because of a batch that is stored.

    That is what the batch speaks of as well as what it changed: it may have been stored before by a turn that was
    killed before it judged.
    """
    starts = starts_of(batch)
    spoken_of = spanned(starts, feeder.channel) if starts else None
    covered = batch.window.end if reads_on(batch, job) else None
    return Touched(batch.id, batch.channel, batch.source, joined([changed, spoken_of]), tuple(starts), covered)


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
