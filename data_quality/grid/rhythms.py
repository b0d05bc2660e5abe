"""Which channels are judged together: those whose intervals are the same, as many as fit into one grid."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from config.catalogue import Channel
from data_quality.evidence import Evidence
from metrics.intervals import Seconds, interval_starts, next_start
from metrics.observations import Interval

MOST_CELLS = 1_000_000
"""Of a grid that several channels share: beyond that it saves nothing, and its arrays only fill the memory."""


def rhythms(evidence: Evidence) -> Iterator[tuple[Seconds, tuple[Channel, ...]]]:
    """Edges of intervals (`interval_edges`), and the channels that have them; without an interval there is no edge."""
    alike: dict[tuple[int, ...], list[Channel]] = {}
    for channel in evidence.judged_channels:
        edges = interval_edges(evidence.interval, channel)
        if len(edges):
            alike.setdefault((channel.interval_s, *edges.tolist()), []).append(channel)
    for (_, *moments), channels in alike.items():
        for together in _that_fit(channels, len(evidence.catalogue.regions) * (len(moments) - 1)):
            yield np.array(moments, np.int64), together


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


def interval_edges(span: Interval, channel: Channel) -> Seconds:
    """Starts of the channel's intervals that begin in a span, and the end of the last; nothing where none begins."""
    zone = ZoneInfo(channel.zone)
    starts = interval_starts(span, channel.interval_s, zone)
    if not len(starts):
        return starts
    end = next_start(datetime.fromtimestamp(int(starts[-1]), UTC), channel.interval_s, zone)
    return np.append(starts, int(end.timestamp()))
