"""Rows of the store as integer codes, made once for all channels: what the board's minutes are laid out from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.grid import Values

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Arrays by row; -1 is a name that is not in the index it was looked up in."""

    measure: Codes
    place: Codes
    dimension: Codes
    keys: tuple[str, ...]
    """Dimension keys, by their codes."""
    start: Codes
    """Seconds since 1970."""
    value: Values

    @classmethod
    def of(cls, frame: pd.DataFrame, measures: Mapping[str, int], places: Mapping[str, int]) -> "Rows":
        """Code a frame of measure, region, dimension, start and value."""
        keys = tuple(frame["dimension"].astype("category").cat.categories)
        return cls(
            codes(frame["measure"], measures),
            codes(frame["region"], places),
            codes(frame["dimension"], {key: at for at, key in enumerate(keys)}),
            keys,
            frame["start"].to_numpy(dtype="datetime64[s]").astype(np.int64),
            frame["value"].to_numpy(np.float64),
        )

    def only(self, rows: Codes | slice | npt.NDArray[np.bool_]) -> "Rows":
        """Some of the rows."""
        cells = (self.measure[rows], self.place[rows], self.dimension[rows])
        return Rows(*cells, self.keys, self.start[rows], self.value[rows])

    def by(self, names: pd.Series, wanted: Iterable[str]) -> dict[str, "Rows"]:
        """The rows of each of some names that stand beside them."""
        index = {name: at for at, name in enumerate(wanted)}
        of = codes(names, index).astype(np.int16)  # narrow, so that it is sorted by counting
        ordered = self if (of[1:] >= of[:-1]).all() else self.only(np.argsort(of, kind="stable"))
        edges = np.cumsum(np.bincount(of + 1, minlength=len(index) + 1))
        return {name: ordered.only(slice(edges[at], edges[at + 1])) for name, at in index.items()}


def codes(column: pd.Series, index: Mapping[str, int]) -> Codes:
    """Index of every cell of a text or category column, by way of its distinct values; -1 where it is not in it."""
    coded = column.astype("category").cat
    table = np.array([*(index.get(name, -1) for name in coded.categories), -1], dtype=np.int64)
    found: Codes = table[coded.codes.to_numpy()]
    return found
