"""Step 1 of a turn: what to ask a source for, and its answer, or that there was none, as a batch."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from collectors import Ask
from metrics.intervals import floor_to
from metrics.observations import Batch, Interval, Parsed, Payload, SourceFault
from pipeline.dependencies import Dependencies
from pipeline.flow.batches import make_batch
from pipeline.flow.feeder import Feeder

FIRST_LOOK = timedelta(hours=1)
"""How far back a source is read that was never read before."""


def due(dependencies: Dependencies, feeder: Feeder, job: str) -> Ask:
    """What to ask for: from where the source was covered (less what may still settle) to the last full interval."""
    now = dependencies.clock()
    status = dependencies.state.progress.sources().get((feeder.channel.id, feeder.source.id))
    zone = ZoneInfo(feeder.channel.zone)
    end = floor_to(now, feeder.channel.interval_s, zone)
    start = end - FIRST_LOOK
    if status is not None and status.covered_until is not None:
        start = max(start, status.covered_until - timedelta(seconds=feeder.channel.settle_s))
    start = min(floor_to(start, feeder.channel.interval_s, zone), end)
    cursor = dependencies.state.progress.cursor(feeder.channel.id, feeder.source.id, job)
    return Ask(Interval(start, end), cursor, now)


def collect(dependencies: Dependencies, feeder: Feeder, ask: Ask, read: Callable[[], Payload]) -> Batch:
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
