"""The rows of some feeds laid out by minute, measure and place, all of them at once: what it costs is spread over them.

Roll-up happens here, once: each value is added to its place and to every place above it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.board.feed import Feed
from pipeline.board.minute_grid import Seen, Values
from pipeline.board.places import Places
from pipeline.board.rows import Placed, Rows

CONTACTS = "contacts"
MOST_CELLS = 1_000_000
"""Of feeds that are laid out together: beyond that it saves nothing, and the arrays only fill the memory."""


@dataclass(frozen=True)
class FeedMinutes:
    """What one feed has of some minutes: values and seen by (minute, measure, place), and the rows of its contacts."""

    values: Values
    seen: Seen
    contacts: Placed


def groups_of_feeds(feeds: Iterable[Feed], minutes: int) -> Iterator[list[Feed]]:
    """Feeds that follow each other, as many as are laid out together."""
    together: list[Feed] = []
    size = 0
    for feed in feeds:
        own = minutes * len(feed.measures.keys) * feed.measures.places
        if together and size + own > MOST_CELLS:
            yield together
            together, size = [], 0
        together.append(feed)
        size += own
    if together:
        yield together


def lay(feeds: Sequence[Feed], places: Places, rows: Rows, begin: int, minutes: int) -> Iterator[FeedMinutes]:
    """What each feed has in the minutes from `begin` (seconds since 1970) on, in the order of the feeds."""
    named = [(feed.channel, measure) for feed in feeds for measure in feed.measures.keys]
    lines = {name: line for line, name in enumerate(named)}
    found = Placed.of(rows.of_channels({feed.channel for feed in feeds}), lines, places.index, begin, minutes)
    peaks = np.concatenate([feed.peaks for feed in feeds])
    values, seen = _summed(found, (minutes, len(peaks), len(places.codes)), peaks, places)
    counted = np.array([measure == CONTACTS for _, measure in named])
    contacts = found.only(np.flatnonzero(counted.take(found.line)))
    edges = np.cumsum([0, *(len(feed.measures.keys) for feed in feeds)]).tolist()
    for first, end in pairwise(edges):
        own = np.flatnonzero((contacts.line >= first) & (contacts.line < end))
        yield FeedMinutes(values[:, first:end], seen[:, first:end], contacts.only(own))


def _summed(
    rows: Placed, shape: tuple[int, int, int], peaks: npt.NDArray[np.bool_], places: Places
) -> tuple[Values, Seen]:
    """(values, seen) by (minute, line, place), rolled up; of a peak the largest."""
    at = rows.step * shape[1]
    at += rows.line
    at *= shape[2]
    at += rows.place
    values: Values = np.bincount(at, rows.value, math.prod(shape)).astype(np.float64, copy=False).reshape(shape)
    seen = np.zeros(shape, np.bool_)
    seen.reshape(-1)[at] = True
    largest = np.flatnonzero(peaks.take(rows.line))
    if len(largest):
        values[:, peaks] = 0.0
        np.maximum.at(values.reshape(-1), at[largest], rows.value[largest])
    highest = values[:, peaks]
    places.add_up(highest, np.maximum)
    places.add_up(values, np.add)
    values[:, peaks] = highest
    places.add_up(seen, np.logical_or)
    return values, seen
