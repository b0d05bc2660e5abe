"""Step 6 of a turn: the cursor moves, and a source that is lost or back is told once."""

import logging
from collections.abc import Sequence

from metrics.observations import Batch
from pipeline.dependencies import Dependencies
from pipeline.flow.batches import reads_on
from pipeline.flow.feeder import LIVE
from store.state.progress import Outcome

log = logging.getLogger("watchfloor.turn")


def settle(dependencies: Dependencies, batches: Sequence[Batch], job: str = LIVE) -> None:
    """Step 6: move the cursors, and say once that a source is lost or back."""
    now = dependencies.clock()
    outcomes = [outcome_of(batch, job) for batch in batches]
    for batch, outcome in zip(batches, outcomes, strict=True):
        if not outcome.error and batch.parsed and batch.parsed.cursor:  # what pushes has no place to go on from
            dependencies.state.progress.keep_cursor(batch.channel, batch.source, dict(batch.parsed.cursor), now, job)
    for outcome, before in zip(outcomes, dependencies.state.progress.note(outcomes, now), strict=True):
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
