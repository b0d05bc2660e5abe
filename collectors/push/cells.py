"""The cells of tables that count: what makes the key of each as numbers, until all is one travelling table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.shared.lines import reject
from config.catalogue import Catalogue, Level
from metrics.observations import Reject

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
KINDS = ("region", "dimension", "start", "measure")
"""What makes the key of a cell; of a start, seconds since 1970."""


class Keys:
    """Codes of region, dimension key and start, by row, for each way of delivery, and each measure's way."""

    def __init__(self, codes: Sequence[Codes], ways: Sequence[int]) -> None:
        self._codes, self._ways = np.stack(codes, axis=1), np.array(ways)

    def whole(self) -> Mask:
        """By (measure, row), whether every part is known."""
        known: Mask = self._codes.min(axis=0)[self._ways] >= 0
        return known

    def at(self, measure: npt.NDArray[np.int64], row: npt.NDArray[np.int64]) -> Codes:
        """The keys of some cells, as rows."""
        way = self._ways[measure] * self._codes.shape[2] + row
        found: Codes = self._codes.reshape(3, -1).take(way, axis=1)
        return found


class Places:
    """The regions of a catalogue by number, and those in which a measure may be counted; made once for all bodies."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.numbers = {code: number for number, code in enumerate(catalogue.regions)}
        served = [region for region in catalogue.regions.values() if region.served]
        self.at = {
            grain: {region.code: self.numbers[region.code] for region in served if region.level.rank <= grain.rank}
            for grain in Level
        }


@dataclass
class CellCounts:
    """Cells that count, by column, and what was wrong with the others."""

    places: Places
    names: dict[str, dict[Any, int]] = field(init=False)
    """The numbers of all regions, and of the other parts of keys in the order in which they came."""
    cells: list[tuple[Codes, Floats]] = field(default_factory=list)
    """Codes as rows, one of each of `KINDS` and then the line; values."""
    rejects: list[Reject] = field(default_factory=list)
    read: int = 0

    def __post_init__(self) -> None:
        self.names = {kind: {} for kind in KINDS} | {"region": self.places.numbers}

    def code(self, kind: str, name: Any) -> int:
        """The number of a name, given on first sight; of a start, which is seconds since 1970, too."""
        known = self.names[kind]
        return known.setdefault(name, len(known))

    def take(self, measures: Sequence[str], counts: Mask, keys: Keys, values: Floats, first: int) -> None:
        """Take the cells that count, by (measure, row)."""
        often = np.count_nonzero(counts, axis=1)
        coded = [self.code("measure", name) if some else -1 for name, some in zip(measures, often, strict=True)]
        measure = np.repeat(np.arange(len(measures)), often)
        row = np.flatnonzero(counts) - measure * counts.shape[1]  # a sixth of the time of np.nonzero
        codes = np.stack([*keys.at(measure, row), np.repeat(coded, often), first + row], dtype=np.int32)
        self.cells.append((codes, values[counts]))

    def frame(self) -> pd.DataFrame:
        """The travelling table; of a key that was said twice the first cell counts, the others are rejects."""
        keys = np.concatenate([np.zeros((len(KINDS) + 1, 0), np.int32), *(keys for keys, _ in self.cells)], axis=1)
        values = np.concatenate([np.zeros(0), *(values for _, values in self.cells)])
        again = self._again(keys)
        if again.any():
            self._refuse(keys[:, again], values[again])
            keys, values = keys[:, ~again], values[~again]
        coded = dict(zip(KINDS, keys, strict=False))
        starts = np.array(list(self.names["start"]), "datetime64[s]")[coded.pop("start")]
        table = {
            name: pd.Categorical.from_codes(coded[name], pd.Index(list(self.names[name]), dtype="str"))
            for name in ("measure", "region", "dimension")
        }
        own = {**table, "start": pd.DatetimeIndex(starts).tz_localize("UTC"), "value": values}
        return pd.DataFrame(own, copy=False)

    def _again(self, keys: Codes) -> Mask:
        """Which keys came before, each as one number: four columns take five times as long."""
        number = np.zeros(keys.shape[1], np.int64)
        for codes, kind in zip(keys, KINDS, strict=False):
            number = number * len(self.names[kind]) + codes
        again: Mask = pd.Series(number).duplicated().to_numpy()
        return again

    def _refuse(self, keys: Codes, values: Floats) -> None:
        """Refuse the cells that say again what was said."""
        measures = list(self.names["measure"])
        for (*_, measure, line), value in zip(keys.T.tolist(), values, strict=True):
            self.rejects.append(reject("CP-02", line, f"values.{measures[measure]}", "said_twice", f"{value:.15g}"))
