"""Figures of each channel over each window, worked out anew only where something came in."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from metrics.arithmetic import Figures, Halves
from metrics.formula import Floats
from pipeline.board import Board
from pipeline.feed import Feed, Sums
from pipeline.figures import Formulas


@dataclass(frozen=True)
class Scope:
    """What one channel's figures over one window are made of, and those of the window before, by (metric, place)."""

    now: Halves
    before: Halves
    waiting: Floats
    """Contacts whose end is not known yet, and those offered, by place."""
    offered: Floats
    ends: npt.NDArray[np.int64]
    """By metric: seconds since 1970 up to which the data reach."""


@dataclass(frozen=True)
class Buckets:
    """Figures of one channel in five-minute buckets; arrays by (metric, bucket, top place)."""

    starts: npt.NDArray[np.int64]
    figures: Figures


class ChannelFigures:
    """Remembers what it worked out until a feed of the channel, or the day, moves on."""

    def __init__(self, board: Board, formulas: Formulas) -> None:
        self.board, self.formulas = board, formulas
        self._scopes: dict[tuple[str, str], tuple[tuple[int, ...], Scope | None]] = {}
        self._buckets: dict[str, tuple[tuple[int, ...], Buckets | None]] = {}

    def scope(self, channel: str, window: str, now: datetime) -> Scope | None:
        """One channel over one window; None before any of its sources was read."""
        feeds = self.board.feeds_of(channel)
        state = (*(feed.version for feed in feeds), self.board.day_start(now))
        held = self._scopes.get((channel, window))
        if held is None or held[0] != state:
            held = (state, self._scope(feeds, window, now))
            self._scopes[channel, window] = held
        return held[1]

    def buckets(self, channel: str, now: datetime) -> Buckets | None:
        """One channel in five-minute buckets; None before any of its sources was read."""
        feeds = [feed for feed in self.board.feeds_of(channel) if feed.covered_until is not None]
        state = (*(feed.version for feed in feeds), self.board.last_bucket(now))
        held = self._buckets.get(channel)
        if held is None or held[0] != state:
            held = (state, self._bucket_figures(feeds, now) if feeds else None)
            self._buckets[channel] = held
        return held[1]

    def _scope(self, feeds: list[Feed], window: str, now: datetime) -> Scope | None:
        recent = [(feed, sums) for feed in feeds if (sums := self.board.window(feed, window, now))]
        earlier = [(feed, sums) for feed in feeds if (sums := self.board.window(feed, window, now, back=1))]
        if not recent:
            return None
        current, values = self._halves(recent)
        waiting, offered = (values[self.board.measure_index[name]] for name in ("waiting", "offered"))
        before, _ = self._halves(earlier)
        end = min(sums.end for _, sums in recent)
        return Scope(current, before, waiting, offered, np.full(len(self.formulas.metrics), end))

    def _halves(self, sums: list[tuple[Feed, Sums]]) -> tuple[Halves, Floats]:
        """Numerators and denominators from the sums of a channel's feeds, and the sums by (measure, place)."""
        shape = (len(self.board.measures), len(self.board.places.codes))
        values, seen, delivered = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for feed, one in sums:
            values[feed.rows], seen[feed.rows], delivered[feed.rows] = one.values, one.seen, feed.delivered
        return self.formulas.halves(values, seen, delivered), values

    def _bucket_figures(self, feeds: list[Feed], now: datetime) -> Buckets:
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
        return Buckets(starts, self.formulas.evaluate(sums, seen, delivered))
