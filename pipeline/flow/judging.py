"""Judge what was stored: doubt it, note what is found, and roll it up onto the board.

It needs to know nothing of a batch but what it touched, so batches that come together are judged together, and
what other processes have stored is judged by whoever is told. It is done before a batch counts as taken (`turn.settle`,
the stream consumer's `done`): whoever is killed in between is given the batch again, and judges what it speaks of.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from config.jobs import AUDIT, Job
from data_quality import audit
from metrics.intervals import floor_to
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.evidence import CLOCK_SPAN, evidence, pieces

CLOCK_AUDIT_S = 30


@dataclass(frozen=True)
class Touched:
    """What judging needs to know of a batch that is stored."""

    batch: str
    channel: str
    source: str
    span: Interval | None = None
    """From the first interval that it changed or speaks of to the end of the last; None: it brought nothing."""
    starts: tuple[datetime, ...] = ()
    """The intervals that it speaks of, so that a span of decades is not judged whole."""
    covered_until: datetime | None = None
    """How far the source has been read; None: no further than before."""


Judge = Callable[[Dependencies, Sequence[Touched]], None]
"""What is done with what a batch has touched: `judge`, or telling the process that judges (`worker.py`)."""


def judge(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
    """Audit and roll up what was touched, each interval once; the caller wakes the publisher when its part is done."""
    with dependencies.board.judged({batch.channel for batch in touched}):
        _judge(dependencies, touched)


def _judge(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
    now = dependencies.clock()
    findings = []
    for span, channels in together(touched):
        seen = evidence(dependencies, span, channels)
        findings += audit(seen)
        dependencies.board.show(seen.observations, span, channels, now)
    dependencies.state.findings.record(findings, now)
    for batch in touched:
        if batch.span is not None:
            dependencies.touches.add(batch.channel, batch.span)
        if batch.covered_until is not None:
            dependencies.board.cover(batch.channel, batch.source, batch.covered_until)


def clock_audit(dependencies: Dependencies) -> Job:
    """The job that audits the clock; after a start the sources have as long to come in."""
    return Job("clock audit", CLOCK_AUDIT_S, lambda: judge_clock(dependencies), CLOCK_AUDIT_S, AUDIT)


def judge_clock(dependencies: Dependencies) -> None:
    """Judge what should have come by now, and note it; a channel at a time, because each lays out half an hour."""
    now = dependencies.clock()
    end = floor_to(now, 60)
    span = Interval(end - CLOCK_SPAN, end)
    found = [
        finding for name in dependencies.catalogue.channels for finding in audit(evidence(dependencies, span, (name,)))
    ]
    dependencies.state.findings.record(found, now)
    dependencies.wake()


def together(touched: Iterable[Touched]) -> Iterator[tuple[Interval, tuple[str, ...]]]:
    """Pieces of time with the channels in which they were touched: what overlaps in a channel is judged once."""
    channels: dict[Interval, list[str]] = defaultdict(list)
    ordered = sorted(((batch.channel, batch.span, batch.starts) for batch in touched if batch.span), key=_place)
    for channel, own in groupby(ordered, key=lambda row: row[0]):
        for span, starts in _runs([(span, starts) for _, span, starts in own]):
            for piece in pieces(span, starts):
                channels[piece].append(channel)
    return ((piece, tuple(names)) for piece, names in channels.items())


def _place(row: tuple[str, Interval, Sequence[datetime]]) -> tuple[str, datetime]:
    return row[0], row[1].start


def _runs(spans: list[tuple[Interval, tuple[datetime, ...]]]) -> Iterator[tuple[Interval, tuple[datetime, ...]]]:
    """Spans, in the order of their starts, with those that overlap or meet made one."""
    span, starts = spans[0]
    for following, more in spans[1:]:
        if following.start > span.end:
            yield span, starts
            span, starts = following, more
        else:
            span, starts = Interval(span.start, max(span.end, following.end)), starts + more
    yield span, starts
