"""What is due when: the definitions' data rules, read as a calendar of each source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Channel, Metric, Source
from data_quality.evidence import Evidence
from data_quality.lineage import metrics_by_measure
from metrics.intervals import Seconds

NEVER = np.iinfo(np.int64).max
Mask = npt.NDArray[np.bool_]


def epoch_seconds(times: pd.Series) -> Seconds:
    """Whole seconds since 1970 of a column of aware times, whatever its unit."""
    exact = times.array if times.array.unit == "s" else times.array.as_unit("s")
    seconds: Seconds = exact.asi8
    return seconds


@dataclass(frozen=True)
class Sender:
    """A source of a channel; without one: what came to the channel from nobody that it knows."""

    channel: Channel
    source: Source | None

    @property
    def id(self) -> str:
        """Id of the source, '' without one."""
        return self.source.id if self.source else ""

    @property
    def key(self) -> tuple[str, str]:
        """Channel and source."""
        return self.channel.id, self.id


def senders_of(channels: Iterable[Channel]) -> tuple[Sender, ...]:
    """The senders of some channels: the sources of each, and at its end the one that nobody knows."""
    return tuple(Sender(channel, source) for channel in channels for source in (*channel.sources, None))


@dataclass(frozen=True)
class Arrivals:
    """The batches of some channels as columns, oldest first; `source` is an index into their senders."""

    source: Seconds
    start: Seconds
    end: Seconds
    fetched_at: Seconds
    ok: Mask
    error: npt.NDArray[np.object_]


def arrivals(evidence: Evidence, senders: Sequence[Sender]) -> Arrivals:
    """The batches of the channels that have these senders."""
    batches = evidence.batches.iloc[np.argsort(epoch_seconds(evidence.batches["fetched_at"]), kind="stable")]
    index = {sender.key: at for at, sender in enumerate(senders)}
    pairs = zip(batches["channel"], batches["source"], strict=True)
    source = np.array([index.get(pair, index.get((pair[0], ""), -1)) for pair in pairs], np.int64)
    own = source >= 0
    start, end, fetched_at = (epoch_seconds(batches[name])[own] for name in ("start", "end", "fetched_at"))
    ok, error = (batches[name].to_numpy()[own] for name in ("ok", "error"))
    return Arrivals(source[own], start, end, fetched_at, ok, error)


@dataclass(frozen=True)
class Schedule:
    """The senders of channels of one rhythm (rows) over the intervals of the range (columns).

    Nobody expects anything of a sender that nobody knows, and nothing that it brings covers an interval.
    """

    senders: tuple[Sender, ...]
    edges: Seconds
    """Start of each interval, and the end of the last, seconds since 1970."""
    step: int
    """Length of an interval in seconds; one on a day on which clocks are changed may be longer or shorter."""
    deadline_s: Seconds
    """Seconds after an interval's end by which a source's figures are due, by sender."""
    manual: Mask
    """By sender: nobody but people fill it in."""
    first_came: Seconds
    """When the first readable batch over an interval came; NEVER where none has, (sender, interval)."""
    expected: Mask
    """Due by now, and not history from before the source was first asked, (sender, interval)."""
    asked: Seconds
    """When each source was first asked; NEVER where there is none."""
    history: Mask
    """Ended before the source was first asked: nobody expected it on time, (sender, interval)."""
    came: Arrivals

    @cached_property
    def covered(self) -> Mask:
        """Where a readable batch came, (sender, interval)."""
        return self.first_came < NEVER

    @property
    def whole(self) -> Mask:
        """Where all is there that will be: a batch came, or it is history; the present may still be half written."""
        mask: Mask = self.covered | self.history
        return mask

    @property
    def owed(self) -> Mask:
        """Where a batch came or should have, (sender, interval)."""
        mask: Mask = self.covered | self.expected
        return mask

    @property
    def missing(self) -> Mask:
        """Where a batch should have come and has not, (sender, interval)."""
        mask: Mask = self.expected & ~self.covered
        return mask

    @property
    def starts(self) -> Seconds:
        """Start of each interval."""
        return self.edges[:-1]

    @property
    def ends(self) -> Seconds:
        """End of each interval."""
        return self.edges[1:]

    @cached_property
    def regular(self) -> bool:
        """Whether all intervals are equally long."""
        return int(self.edges[-1] - self.edges[0]) == self.step * len(self.starts)

    def locate(self, moments: Seconds) -> tuple[Seconds, Mask]:
        """Which interval holds each moment (below 0 or beyond the last: none does), and whether it begins it."""
        if self.regular:
            since = moments - self.edges[0]
            interval = since // self.step
            return interval, interval * self.step == since
        interval = np.searchsorted(self.edges, moments, side="right") - 1
        return interval, self.edges[interval.clip(0)] == moments

    @cached_property
    def moments(self) -> list[datetime]:
        """Start of each interval, and the end of the last."""
        return [datetime.fromtimestamp(at, UTC) for at in self.edges.tolist()]

    @cached_property
    def said(self) -> list[str]:
        """The moments as rows of findings show them."""
        return [moment.isoformat() for moment in self.moments]


def schedule(evidence: Evidence, edges: Seconds, channels: Sequence[Channel]) -> Schedule:
    """Work out what the sources of channels with these intervals owe in the range, and when it came."""
    senders, ends = senders_of(channels), edges[1:]
    came = arrivals(evidence, senders)
    fallback = evidence.limit("CP-01", "deadline_s")
    metrics = [_standing(sender.source, evidence.metrics_on) for sender in senders]
    due_s = [min((metric.data_rule.deadline_s for metric in on), default=fallback) for on in metrics]
    manual = [bool(on) and all(metric.data_rule.collection == "manual" for metric in on) for on in metrics]
    deadline_s = np.array(due_s, np.int64)
    asked = _asked(evidence, senders, came)
    due = ends[None, :] + deadline_s[:, None] <= int(evidence.now.timestamp())
    history = ends[None, :] <= asked[:, None]
    first_came = _first_came(senders, came, edges)
    return Schedule(
        senders, edges, channels[0].interval_s, deadline_s, np.array(manual, np.bool_), first_came, due & ~history,
        asked, history, came,
    )  # fmt: skip


def deadline_of(source: Source, catalogue: Catalogue) -> float:
    """Seconds after an interval's end by which a source is due: the strictest of the metrics on its measures."""
    fallback = catalogue.rules.rules["CP-01"].limits["deadline_s"]
    standing = metrics_by_measure(catalogue)
    return min((metric.data_rule.deadline_s for metric in _standing(source, standing)), default=fallback)


def _standing(source: Source | None, standing: dict[str, tuple[Metric, ...]]) -> list[Metric]:
    delivers = source.delivers if source else ()
    return [metric for delivery in delivers for metric in standing.get(delivery.measure, ())]


def _first_came(senders: Sequence[Sender], came: Arrivals, edges: Seconds) -> Seconds:
    """When the first readable batch over each interval came, (sender, interval).

    Of batches that meet inside an interval: the last that it needed.
    """
    starts, ends = edges[:-1], edges[1:]
    first = np.full((len(senders), len(starts)), NEVER, np.int64)
    begin = np.searchsorted(starts, came.start, side="left")
    stop = np.searchsorted(ends, came.end, side="right")
    pieces: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for at in np.flatnonzero(came.ok).tolist():
        source, window = int(came.source[at]), (int(came.start[at]), int(came.end[at]))
        if senders[source].source is None:
            continue
        cells = first[source, begin[at] : stop[at]]
        np.minimum(cells, came.fetched_at[at], out=cells)
        for cell in {int(begin[at]) - 1, int(stop[at])} - {-1, len(starts)}:
            own = pieces.setdefault((source, cell), [])
            own.append(window)
            if first[source, cell] == NEVER and _covered(own, int(starts[cell]), int(ends[cell])):
                first[source, cell] = came.fetched_at[at]
    return first


def _covered(windows: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether windows together leave no gap between two times."""
    reach = start
    for begin, stop in sorted(windows):
        if begin <= reach:
            reach = max(reach, stop)
    return reach >= end


def _asked(evidence: Evidence, senders: Sequence[Sender], came: Arrivals) -> Seconds:
    """Since when each source is asked: as the evidence says, else its first batch, else the range's start."""
    asked = np.full(len(senders), int(evidence.interval.start.timestamp()), np.int64)
    for at, sender in enumerate(senders):
        known = evidence.asked_since.get(sender.key)
        if sender.source is None:
            asked[at] = NEVER
        elif known is not None:
            asked[at] = int(known.timestamp())
        elif len(own := came.fetched_at[came.source == at]):
            asked[at] = own[0]
    return asked
