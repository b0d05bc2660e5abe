"""Which channels are judged together: those whose intervals are the same, as many as fit into one grid."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from config.catalogue import Channel
from data_quality.evidence import Evidence

Seconds = npt.NDArray[np.int64]
MOST_CELLS = 1_000_000
"""Of a grid that several channels share: beyond that it saves nothing, and its arrays only fill the memory."""


def rhythms(evidence: Evidence) -> Iterator[tuple[Seconds, tuple[Channel, ...]]]:
    """Starts of intervals, and the channels that have them; a channel without an interval in the range has none."""
    alike: dict[tuple[int, int, int], list[Channel]] = {}
    starts_of: dict[tuple[int, int, int], Seconds] = {}
    for channel in evidence.judged_channels:
        starts = interval_starts(evidence, channel)
        if len(starts):
            key = int(starts[0]), channel.interval_s, len(starts)
            alike.setdefault(key, []).append(channel)
            starts_of[key] = starts
    for key, channels in alike.items():
        for together in _that_fit(channels, len(evidence.catalogue.regions) * len(starts_of[key])):
            yield starts_of[key], together


def _that_fit(channels: list[Channel], cells: int) -> Iterator[tuple[Channel, ...]]:
    """Channels that follow each other, with `cells` for each measure of theirs."""
    together: list[Channel] = []
    size = 0
    for channel in channels:
        own = cells * sum(len(source.delivers) for source in channel.sources)
        if together and size + own > MOST_CELLS:
            yield tuple(together)
            together, size = [], 0
        together.append(channel)
        size += own
    yield tuple(together)


def interval_starts(evidence: Evidence, channel: Channel) -> Seconds:
    """Starts of the channel's intervals in the range; they count from midnight on the channel's clock."""
    zone_s = _offset_s(evidence, channel.zone)
    first, last = (int(moment.timestamp()) for moment in (evidence.interval.start, evidence.interval.end))
    grid = -(-(first + zone_s) // channel.interval_s) * channel.interval_s - zone_s
    return np.arange(grid, last, channel.interval_s, dtype=np.int64)


def _offset_s(evidence: Evidence, zone: str) -> int:
    offset = evidence.interval.start.astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
