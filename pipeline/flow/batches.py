"""What came of one reading as a batch: its name, its window and the intervals that it speaks of."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from collectors import Ask
from config.catalogue import Channel
from metrics.observations import Batch, Interval, Parsed, Payload, SourceFault
from pipeline.flow.feeder import LIVE, Feeder


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


def joined(spans: Iterable[Interval | None]) -> Interval | None:
    """From the start of the first to the end of the last."""
    known = [span for span in spans if span is not None]
    return Interval(min(span.start for span in known), max(span.end for span in known)) if known else None


def reads_on(batch: Batch, job: str) -> bool:
    """Whether a batch moves the time up to which its source has been read."""
    return job == LIVE and batch.error is None and batch.payload is not None and not batch.payload.more
