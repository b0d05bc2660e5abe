"""What is due when: the definitions' data rules, read as a calendar of each source."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Channel, Metric, Source
from data_quality.dependence import metrics_by_measure
from data_quality.evidence import Evidence

NEVER = np.iinfo(np.int64).max
Seconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def epoch_seconds(times: pd.Series) -> Seconds:
    """Whole seconds since 1970 of a column of aware times, whatever its unit."""
    exact = times.array if times.array.unit == "s" else times.array.as_unit("s")
    seconds: Seconds = exact.asi8
    return seconds


@dataclass(frozen=True)
class Arrivals:
    """One channel's batches as columns, oldest first; `source` is an index into the channel's sources, -1 unknown."""

    source: Seconds
    start: Seconds
    end: Seconds
    fetched_at: Seconds
    read: Seconds
    ok: Mask
    error: npt.NDArray[np.object_]


def arrivals(evidence: Evidence) -> dict[str, Arrivals]:
    """The batches of every channel that the evidence is about."""
    batches = evidence.batches.iloc[np.argsort(epoch_seconds(evidence.batches["fetched_at"]), kind="stable")]
    start, end, fetched_at = (epoch_seconds(batches[name]) for name in ("start", "end", "fetched_at"))
    read, ok = batches["read"].to_numpy(np.int64), batches["ok"].to_numpy(np.bool_)
    owner, source, error = (batches[name].to_numpy(dtype=object) for name in ("channel", "source", "error"))
    found = {}
    for channel in evidence.judged_channels:
        own, names = np.flatnonzero(owner == channel.id), {one.id: at for at, one in enumerate(channel.sources)}
        sources = np.array([names.get(name, -1) for name in source[own]], np.int64)
        found[channel.id] = Arrivals(sources, start[own], end[own], fetched_at[own], read[own], ok[own], error[own])
    return found


@dataclass(frozen=True)
class Schedule:
    """One channel's sources (rows) over the intervals of the range (columns)."""

    starts: Seconds
    """Start of each interval, seconds since 1970."""
    step: int
    deadline_s: Seconds
    """Seconds after an interval's end by which a source's figures are due, by source."""
    manual: Mask
    """By source: nobody but people fill it in."""
    first_came: Seconds
    """When the first readable batch over an interval came; NEVER where none has, (source, interval)."""
    expected: Mask
    """Due by now, and not history from before the source was first asked, (source, interval)."""
    asked: Seconds
    """When each source was first asked."""
    history: Mask
    """Ended before the source was first asked: nobody expected it on time, (source, interval)."""
    came: Arrivals

    @cached_property
    def covered(self) -> Mask:
        """Where a readable batch came, (source, interval)."""
        return self.first_came < NEVER

    @property
    def whole(self) -> Mask:
        """Where all is there that will be: a batch came, or it is history; the present may still be half written."""
        mask: Mask = self.covered | self.history
        return mask

    @property
    def owed(self) -> Mask:
        """Where a batch came or should have, (source, interval)."""
        mask: Mask = self.covered | self.expected
        return mask

    @property
    def missing(self) -> Mask:
        """Where a batch should have come and has not, (source, interval)."""
        mask: Mask = self.expected & ~self.covered
        return mask

    @property
    def ends(self) -> Seconds:
        """End of each interval."""
        return self.starts + self.step

    @cached_property
    def moments(self) -> list[datetime]:
        """Start of each interval, and the end of the last."""
        return [datetime.fromtimestamp(at, UTC) for at in [*self.starts.tolist(), int(self.ends[-1])]]

    @cached_property
    def read(self) -> Seconds:
        """Number of records that readable batches of each source hold in the range."""
        came = self.came
        inside = (came.end > self.starts[0]) & (came.start < self.ends[-1]) & came.ok & (came.source >= 0)
        return np.bincount(came.source[inside], came.read[inside], len(self.deadline_s)).astype(np.int64)


def schedule(evidence: Evidence, channel: Channel, came: Arrivals) -> Schedule:
    """Work out what one channel's sources owe in the range, and when it came."""
    step, starts = channel.interval_s, interval_starts(evidence, channel)
    fallback = evidence.limit("CP-01", "deadline_s")
    metrics = [_standing(source, evidence.metrics_on) for source in channel.sources]
    due_s = [min((metric.data_rule.deadline_s for metric in on), default=fallback) for on in metrics]
    manual = [bool(on) and all(metric.data_rule.collection == "manual" for metric in on) for on in metrics]
    deadline_s = np.array(due_s, np.int64)
    asked = _asked(evidence, channel, came)
    due = starts[None, :] + step + deadline_s[:, None] <= int(evidence.now.timestamp())
    history = starts[None, :] + step <= asked[:, None]
    first_came = _first_came(len(channel.sources), came, starts, step)
    return Schedule(
        starts, step, deadline_s, np.array(manual, np.bool_), first_came, due & ~history, asked, history, came
    )


def interval_starts(evidence: Evidence, channel: Channel) -> Seconds:
    """Starts of the channel's intervals in the range; they count from midnight on the channel's clock."""
    zone_s = _offset_s(evidence, channel.zone)
    first, last = (int(moment.timestamp()) for moment in (evidence.interval.start, evidence.interval.end))
    grid = -(-(first + zone_s) // channel.interval_s) * channel.interval_s - zone_s
    return np.arange(grid, last, channel.interval_s, dtype=np.int64)


def _offset_s(evidence: Evidence, zone: str) -> int:
    offset = evidence.interval.start.astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def deadline_of(source: Source, catalogue: Catalogue) -> float:
    """Seconds after an interval's end by which a source is due: the strictest of the metrics on its measures."""
    fallback = catalogue.rules.rules["CP-01"].limits["deadline_s"]
    standing = metrics_by_measure(catalogue)
    return min((metric.data_rule.deadline_s for metric in _standing(source, standing)), default=fallback)


def _standing(source: Source, standing: dict[str, tuple[Metric, ...]]) -> list[Metric]:
    return [metric for delivery in source.delivers for metric in standing.get(delivery.measure, ())]


def _first_came(sources: int, came: Arrivals, starts: Seconds, step: int) -> Seconds:
    """When the first readable batch over each interval came, (source, interval).

    Of batches that meet inside an interval: the last that it needed.
    """
    first = np.full((sources, len(starts)), NEVER, np.int64)
    begin = np.searchsorted(starts, came.start, side="left")
    stop = np.searchsorted(starts + step, came.end, side="right")
    pieces: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for at in np.flatnonzero(came.ok & (came.source >= 0)).tolist():
        source, window = int(came.source[at]), (int(came.start[at]), int(came.end[at]))
        cells = first[source, begin[at] : stop[at]]
        np.minimum(cells, came.fetched_at[at], out=cells)
        for cell in {int(begin[at]) - 1, int(stop[at])} - {-1, len(starts)}:
            own = pieces.setdefault((source, cell), [])
            own.append(window)
            if first[source, cell] == NEVER and _covered(own, int(starts[cell]), int(starts[cell]) + step):
                first[source, cell] = came.fetched_at[at]
    return first


def _covered(windows: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether windows together leave no gap between two times."""
    reach = start
    for begin, stop in sorted(windows):
        if begin <= reach:
            reach = max(reach, stop)
    return reach >= end


def _asked(evidence: Evidence, channel: Channel, came: Arrivals) -> Seconds:
    """Since when each source is asked: as the evidence says, else its first batch, else the range's start."""
    asked = np.full(len(channel.sources), int(evidence.interval.start.timestamp()), np.int64)
    for at, source in enumerate(channel.sources):
        known = evidence.asked_since.get((channel.id, source.id))
        own = came.fetched_at[came.source == at]
        if known is not None:
            asked[at] = int(known.timestamp())
        elif len(own):
            asked[at] = own[0]
    return asked
