"""The observations as integer codes, made once: what the grids are laid out from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.places import Places
from data_quality.schedule import epoch_seconds

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


@dataclass(frozen=True)
class Facts:
    """The observations of all channels."""

    channel: Coded
    measure: Coded
    dimension: Coded
    region: Indices
    """Index into `Places`, -1 for one that nobody knows."""
    start: Indices
    received: Indices
    value: Values
    reported: Mask

    def rows_of(self, channels: set[str]) -> Chosen:
        """The rows of some channels, in their order."""
        own = np.array([*(name in channels for name in self.channel.names), False])
        return slice(None) if own[self.channel.codes].all() else np.flatnonzero(own[self.channel.codes])


def code_facts(observations: pd.DataFrame, places: Places) -> Facts:
    """Code the columns of `Evidence.observations`."""
    region = _coded(observations["region"])
    return Facts(
        _coded(observations["channel"]),
        _coded(observations["measure"]),
        _coded(observations["dimension"]),
        region.within(places.index)[region.codes],
        epoch_seconds(observations["start"]),
        epoch_seconds(observations["received_at"]),
        observations["value"].to_numpy(np.float64),
        observations["reported"].to_numpy(np.bool_),
    )


def _coded(column: pd.Series) -> Coded:
    """A text or category column as codes."""
    as_category = column.astype("category").cat
    return Coded(as_category.codes.to_numpy(), tuple(as_category.categories))
