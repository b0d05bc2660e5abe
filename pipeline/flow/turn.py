"""The turn: the whole way of one source's figures, from the channel system to the screens.

Read this first: everything else in the product is one of these steps.

    1 collect   ask the source; what it answers, or that it did not answer, is a batch
    2 keep      the payload as it came, for seven days
    3 store     the newer revision wins; the same batch twice changes nothing; then the record that it came
    4 audit     what is late, missing, impossible or inconsistent becomes a finding
    5 roll up   the board adds what is stored to every place above it
    6 settle    only now the cursor moves: a crash before this repeats the batch, which changes nothing
    7 snapshot, 8 publish: the publisher is woken (`pipeline/snapshot/publisher.py`)
Steps 2, 3 and 6 belong to one batch; 4 and 5 are done once for all that came together (`pipeline/flow/judging.py`).
"""

from dataclasses import replace
from pathlib import Path
from threading import Event

from metrics.observations import Batch
from pipeline.dependencies import Dependencies
from pipeline.flow.batches import span_of
from pipeline.flow.collecting import collect, due
from pipeline.flow.feeder import LIVE, Feeder, PolledFeeder
from pipeline.flow.judging import Judge, judge
from pipeline.flow.settling import settle
from pipeline.flow.storing import enter

MOST_IN_ONE_GO = 200
"""Payloads of one source in one run, so that a long file cannot keep the other sources of its channel waiting."""


def follow(dependencies: Dependencies, feeder: PolledFeeder, ended: Event, judged: Judge = judge) -> None:
    """Take turns with a source until it has no more to give, or until it is ended."""
    for _ in range(MOST_IN_ONE_GO):
        batch = turn(dependencies, feeder, judged=judged)
        if ended.is_set() or batch.payload is None or not batch.payload.more or batch.error is not None:
            return


def turn(dependencies: Dependencies, feeder: PolledFeeder, job: str = LIVE, judged: Judge = judge) -> Batch:
    """Take one turn with a source; never raises for what a source does."""
    ask = due(dependencies, feeder, job)
    batch = collect(dependencies, feeder, ask, lambda: feeder.collector.fetch(ask))
    return _finished(dependencies, feeder, batch, job, judged)


def turn_with_file(dependencies: Dependencies, feeder: Feeder, job: str, file: Path, judged: Judge = judge) -> Batch:
    """Take one turn with a file in a source's stead; never raises for what is in it."""
    ask = due(dependencies, feeder, job)
    batch = collect(dependencies, feeder, ask, lambda: feeder.collector.fetch_file(file, ask))
    return _finished(dependencies, feeder, replace(batch, window=span_of(batch, feeder.channel)), job, judged)


def _finished(dependencies: Dependencies, feeder: Feeder, batch: Batch, job: str, judged: Judge) -> Batch:
    """Steps 2 to 8 for a batch that is collected."""
    judged(dependencies, enter(dependencies, [(feeder, batch)], job))
    settle(dependencies, [batch], job)
    dependencies.wake()
    return batch
