"""What the figures of each channel are made of, worked out anew only where something came in."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from metrics.arithmetic import Fractions
from metrics.formula import Floats
from metrics.readings import WINDOWS
from pipeline.board.board import Board
from pipeline.board.feed import Feed
from pipeline.snapshot.formulas import Formulas

BACK = (0, 1)
"""A window, and the one of the same length before it."""


@dataclass(frozen=True)
class Scope:
    """One channel over all windows."""

    fractions: Fractions
    """By (metric, back, window, place)."""
    waiting: Floats
    """Contacts whose end is not known yet, and those offered, by (window, place)."""
    offered: Floats
    ends: npt.NDArray[np.int64]
    """By window: seconds since 1970 up to which the data reach."""


@dataclass(frozen=True)
class Buckets:
    """One channel in five-minute buckets; fractions by (metric, bucket, top place)."""

    starts: npt.NDArray[np.int64]
    fractions: Fractions


class ChannelFigures:
    """Remembers what it worked out until a feed of the channel, or the day, moves on."""

    def __init__(self, board: Board, formulas: Formulas) -> None:
        self.board, self.formulas = board, formulas
        self._scopes: dict[str, tuple[tuple[int, ...], Scope | None]] = {}
        self._buckets: dict[str, tuple[tuple[int, ...], Buckets | None]] = {}

    def scope(self, channel: str, now: datetime) -> Scope | None:
        """One channel over all windows; None before any of its sources was read."""
        feeds = self._read_feeds(channel)
        state = (*(feed.version for feed in feeds), self.board.day_start(now))
        held = self._scopes.get(channel)
        if held is None or held[0] != state:
            held = (state, self._scope(feeds, now) if feeds else None)
            self._scopes[channel] = held
        return held[1]

    def buckets(self, channel: str, now: datetime) -> Buckets | None:
        """One channel in five-minute buckets; None before any of its sources was read."""
        feeds = self._read_feeds(channel)
        state = (*(feed.version for feed in feeds), self.board.last_bucket(now))
        held = self._buckets.get(channel)
        if held is None or held[0] != state:
            held = (state, self._bucket_halves(feeds, now) if feeds else None)
            self._buckets[channel] = held
        return held[1]

    def _read_feeds(self, channel: str) -> list[Feed]:
        return [feed for feed in self.board.feeds_of(channel) if feed.covered_until is not None]

    def _scope(self, feeds: list[Feed], now: datetime) -> Scope:
        shape = (len(self.board.measures), len(BACK), len(WINDOWS), len(self.board.places.codes))
        values, seen, delivered = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        ends = np.full(len(WINDOWS), np.iinfo(np.int64).max)
        for feed in feeds:
            for back in BACK:
                for at, window in enumerate(WINDOWS):
                    sums = self.board.window(feed, window, now, back)
                    if sums is None:
                        continue
                    cells = (feed.rows, back, at)
                    values[cells], seen[cells], delivered[cells] = sums.values, sums.seen, feed.delivered
                    if not back:
                        ends[at] = min(ends[at], sums.end)
        waiting, offered = (values[self.board.measure_index[name], 0] for name in ("waiting", "offered"))
        return Scope(self.formulas.fractions(values, seen, delivered), waiting.copy(), offered.copy(), ends)

    def _bucket_halves(self, feeds: list[Feed], now: datetime) -> Buckets:
        tops = self.board.places.tops
        parts = [(feed, *self.board.buckets(feed, now)) for feed in feeds]
        starts = parts[0][1]
        shape = (len(self.board.measures), len(starts), len(tops))
        sums, seen, delivered = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for feed, _, values, read in parts:
            # A bucket outside what was read is no zero: nothing is known of it.
            covered = (starts >= (feed.first or 0)) & (starts < (feed.end() or 0))
            sums[feed.rows], seen[feed.rows] = values.swapaxes(0, 1), read.swapaxes(0, 1)
            delivered[feed.rows] = covered[:, None] & feed.delivered[:, None, tops]
        return Buckets(starts, self.formulas.fractions(sums, seen, delivered))
