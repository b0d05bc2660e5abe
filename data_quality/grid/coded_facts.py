"""The observations as integer codes, made once: what the grids are laid out from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.grid.places import Places
from data_quality.grid.schedule import epoch_seconds

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.signedinteger[npt.NBitBase]]
Chosen = slice | Indices
"""Rows: a slice, so that taking all of them copies nothing, or their numbers."""


@dataclass(frozen=True)
class Coded:
    """A column of names as integer codes into its distinct names; -1 is no name."""

    codes: Codes
    names: tuple[str, ...]

    def within(self, index: dict[str, int]) -> Indices:
        """By code: the place of the name in `index`, -1 for one that is not in it, and at the end for no name."""
        return np.array([*(index.get(name, -1) for name in self.names), -1], np.int64)

    def used(self, chosen: "Chosen") -> Mask:
        """By code, and at the end for no name: whether any of the chosen rows has it."""
        mask = np.zeros(len(self.names) + 1, np.bool_)
        mask[self.codes[chosen]] = True
        return mask


@dataclass(frozen=True)
class Facts:
    """The observations of all channels."""

    channel: Coded
    measure: Coded
    dimension: Coded
    region: Coded
    """Its codes are int64: as an index, codes of another width are slower than their conversion."""
    place: Indices
    """By code of the region: index into `Places`, -1 for one that nobody knows, and at the end for no name."""
    start: Indices
    received: Indices
    value: Values
    reported: Mask

    def rows_of(self, channels: set[str]) -> Chosen:
        """The rows of some channels, in their order."""
        codes, own = self.channel.codes, np.array([*(name in channels for name in self.channel.names), False])
        return slice(None) if own[:-1].all() and (codes >= 0).all() else np.flatnonzero(own[codes])


def code_facts(observations: pd.DataFrame, places: Places) -> Facts:
    """Code the columns of `Evidence.observations`."""
    region = _coded(observations["region"])
    region = Coded(region.codes.astype(np.int64), region.names)
    return Facts(
        _coded(observations["channel"]),
        _coded(observations["measure"]),
        _coded(observations["dimension"]),
        region,
        region.within(places.index),
        epoch_seconds(observations["start"]),
        epoch_seconds(observations["received_at"]),
        observations["value"].to_numpy(np.float64),
        observations["reported"].to_numpy(np.bool_),
    )


def _coded(column: pd.Series) -> Coded:
    """A text or category column as codes."""
    coded = column.array if isinstance(column.dtype, pd.CategoricalDtype) else pd.Categorical(column)
    return Coded(coded.codes, tuple(coded.categories))
