"""The observations as integer codes, made once for all channels: what a channel's grid is laid out from."""

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


@dataclass(frozen=True)
class Coded:
    """A column of names as integer codes into its distinct names; -1 is no name."""

    codes: Codes
    names: tuple[str, ...]

    def through(self, index: dict[str, int], rows: slice) -> Indices:
        """The chosen rows' places in `index`, -1 for a name that is not in it."""
        table = np.array([*(index.get(name, -1) for name in self.names), -1], np.int64)
        found: Indices = table[self.codes[rows]]
        return found

    def only(self, rows: slice) -> tuple[Indices, tuple[str, ...]]:
        """The names that the chosen rows use, and the rows coded by them."""
        codes = self.codes[rows]
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(self.names) + 1)[1:])
        table = np.full(len(self.names) + 1, -1, np.int64)
        table[used] = np.arange(len(used))
        return table[codes], tuple(self.names[at] for at in used)


@dataclass(frozen=True)
class Facts:
    """The observations of all channels, those of one channel together."""

    rows_of: dict[str, slice]
    """Where the rows of each channel are."""
    measure: Coded
    dimension: Coded
    region: Indices
    """Index into `Places`, -1 for one that nobody knows."""
    start: Indices
    received: Indices
    value: Values
    reported: Mask


def code_facts(observations: pd.DataFrame, places: Places) -> Facts:
    """Code the columns of `Evidence.observations`; rows of a channel keep their order."""
    channel = _coded(observations["channel"])
    if (channel.codes[1:] < channel.codes[:-1]).any():
        order = np.argsort(channel.codes, kind="stable")
        observations = observations.iloc[order]
        channel = Coded(channel.codes[order], channel.names)
    edges = np.searchsorted(channel.codes, np.arange(len(channel.names) + 1)).tolist()
    return Facts(
        {name: slice(edges[at], edges[at + 1]) for at, name in enumerate(channel.names)},
        _coded(observations["measure"]),
        _coded(observations["dimension"]),
        _coded(observations["region"]).through(places.index, slice(None)),
        epoch_seconds(observations["start"]),
        epoch_seconds(observations["received_at"]),
        observations["value"].to_numpy(np.float64),
        observations["reported"].to_numpy(np.bool_),
    )


def _coded(column: pd.Series) -> Coded:
    """A text or category column as codes."""
    as_category = column.astype("category").cat
    return Coded(as_category.codes.to_numpy(), tuple(as_category.categories))
