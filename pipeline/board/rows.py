"""Rows of the store as the board lays them out: columns of codes with their names, taken over as they came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.board.minute_grid import STEP_S, Values

Indices = npt.NDArray[np.int64]
Codes = npt.NDArray[np.signedinteger[npt.NBitBase]]
Narrow = npt.NDArray[np.int32]
"""Half as wide, so that what is made of half a million rows is made in half the memory."""
Key = TypeVar("Key")

COLUMNS = ("channel", "measure", "region", "dimension", "start", "value", "reported")


@dataclass(frozen=True)
class Rows:
    """Parts that add up, by column; the store has none without a name."""

    channel: pd.Categorical
    measure: pd.Categorical
    region: pd.Categorical
    dimension: pd.Categorical
    start: Indices
    """Seconds since 1970."""
    value: Values

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Rows":
        """The columns of a frame that `History.observations` gives, without those that never add up."""
        channel, measure, region, dimension = (pd.Categorical(frame[name].array) for name in COLUMNS[:4])
        start = frame["start"].to_numpy("datetime64[s]").view(np.int64)
        rows = cls(channel, measure, region, dimension, start, frame["value"].to_numpy(np.float64))
        reported = frame["reported"].to_numpy(np.bool_)
        return rows.only(np.flatnonzero(~reported)) if reported.any() else rows

    def of_channels(self, wanted: Iterable[str]) -> "Rows":
        """The rows of some channels."""
        own = np.isin(self.channel.categories, list(wanted)).take(self.channel.codes)
        return self if own.all() else self.only(np.flatnonzero(own))

    def only(self, rows: Indices) -> "Rows":
        """Some of the rows, by their numbers."""
        names = (self.channel[rows], self.measure[rows], self.region[rows], self.dimension[rows])
        return Rows(*names, self.start[rows], self.value[rows])


@dataclass(frozen=True)
class Placed:
    """Rows with where they belong: minute, line (one measure of one channel) and place."""

    step: Indices
    line: Narrow
    place: Narrow
    dimension: Codes
    keys: tuple[str, ...]
    """Dimension keys, by their codes."""
    value: Values

    @classmethod
    def of(
        cls, rows: Rows, lines: Mapping[tuple[str, str], int], places: Mapping[str, int], begin: int, minutes: int
    ) -> "Placed":
        """Look up where rows belong, in the minutes from `begin` on; those that belong nowhere are left out."""
        pair = rows.channel.codes * np.int32(len(rows.measure.categories)) + rows.measure.codes
        pairs = product(rows.channel.categories.tolist(), rows.measure.categories.tolist())
        line = _found(lines, pairs).take(pair)
        place = _found(places, rows.region.categories.tolist()).take(rows.region.codes)
        step = rows.start - begin
        step //= STEP_S
        placed = cls(step, line, place, rows.dimension.codes, tuple(rows.dimension.categories.tolist()), rows.value)
        known = (line >= 0) & (place >= 0) & (step >= 0) & (step < minutes)
        return placed if known.all() else placed.only(np.flatnonzero(known))

    def only(self, rows: Indices) -> "Placed":
        """Some of the rows, by their numbers."""
        where = (self.step[rows], self.line[rows], self.place[rows])
        return Placed(*where, self.dimension[rows], self.keys, self.value[rows])


def _found(index: Mapping[Key, int], keys: Iterable[Key]) -> Narrow:
    """What an index has of some keys, -1 where it has none."""
    return np.array([index.get(key, -1) for key in keys], np.int32)
