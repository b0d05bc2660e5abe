"""What the pipeline lays before the audit: stored observations, the record of batches, and the clock."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import pandas as pd

from data_quality.evidence import BATCH_COLUMNS, OBSERVED_COLUMNS, ROW_CHECK_COLUMNS, Evidence, empty
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from store.state.batches import BatchRecord, replaced

SPAN = timedelta(hours=6)
"""The audit's grids are dense, so a long range is judged in pieces."""
MOST_PIECES = 28
"""A week: so much is judged whole, because a contact may have moved out of an interval that its batch does not name."""
CLOCK_SPAN = timedelta(minutes=30)


def evidence(dependencies: Dependencies, span: Interval, channels: tuple[str, ...] = ()) -> Evidence:
    """Everything that is known about a span in some channels; none named: all.

    Batches are read before rows, which are stored before their batch is recorded: what came has its rows here.
    A source that was never asked has been asked since now, and owes nothing yet.
    """
    now = dependencies.clock()
    records = dependencies.state.batches.covering(span, channels)
    every = [
        (channel.id, source.id) for channel in dependencies.catalogue.channels.values() for source in channel.sources
    ]
    return Evidence(
        catalogue=dependencies.catalogue,
        now=now,
        interval=span,
        observations=dependencies.history.observations(span, channels or None, columns=OBSERVED_COLUMNS),
        batches=batch_frame(records),
        row_checks=row_check_frame(records),
        asked_since=dict.fromkeys(every, now) | dependencies.state.batches.first_asked(),
        channels=channels,
    )


def evidence_by_piece(
    dependencies: Dependencies, span: Interval, channels: tuple[str, ...] = (), starts: Sequence[datetime] | None = None
) -> Iterator[Evidence]:
    """The same for a span of any length, in pieces that a dense grid can hold."""
    return (evidence(dependencies, piece, channels) for piece in pieces(span, starts))


def pieces(span: Interval, starts: Sequence[datetime] | None = None) -> Iterator[Interval]:
    """Cut a span into pieces; of a long one, where starts are named, only those that hold one of them.

    One record of a clock that was never set would otherwise have decades judged, in which there is nothing.
    """
    number = -(-(span.end - span.start) // SPAN)
    chosen: Iterable[int] = range(number)
    if starts is not None and number > MOST_PIECES:
        chosen = sorted({(start - span.start) // SPAN for start in starts} & set(chosen))
    for at in chosen:
        start = span.start + at * SPAN
        yield Interval(start, min(start + SPAN, span.end))


def batch_frame(records: list[BatchRecord]) -> pd.DataFrame:
    """The record of batches as the audit wants it."""
    if not records:
        return empty(BATCH_COLUMNS)
    over = replaced(records)
    rows = [
        (
            record.id, record.channel, record.source, record.start, record.end, record.fetched_at,
            record.read, record.error, not record.error, record.id in over,
        )
        for record in records
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(BATCH_COLUMNS))
    for name in ("start", "end", "fetched_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame


def row_check_frame(records: list[BatchRecord]) -> pd.DataFrame:
    """What the rows of batches showed when they came, as the audit wants it."""
    rows = [(record.id, record.channel, record.source, *check) for record in records for check in record.row_checks]
    return pd.DataFrame(rows, columns=list(ROW_CHECK_COLUMNS)) if rows else empty(ROW_CHECK_COLUMNS)
