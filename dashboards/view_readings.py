"""The readings of one view, taken out of a snapshot once and then looked up by name.

A snapshot holds every figure of the country; a window shows a few hundred of them. Key columns are
categories (integer codes), so choosing rows compares numbers and takes well under a millisecond.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.readings import READINGS, Reading, Snapshot, State, Trust

BUCKETS = 24
"""Five-minute buckets of a trend."""
BUCKET = timedelta(minutes=5)
Key = tuple[str, str, str]
"""Metric, region and channel."""


def among(column: "pd.Series[str]", wanted: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Rows of a key column that hold one of the wanted values."""
    names = set(wanted)
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.isin(names), dtype=np.bool_)
    chosen = np.array([name in names for name in column.dtype.categories.tolist()] + [False])
    return np.asarray(chosen.take(column.array.codes))  # -1 takes the last; indexing takes twice as long


def values(column: "pd.Series[Any]", rows: npt.NDArray[np.intp]) -> list[Any]:
    """What a column holds in some rows, by position; pandas' own way takes ten times as long."""
    held: Any = column.array[rows]
    if isinstance(column.dtype, pd.CategoricalDtype):
        held = np.array([*column.dtype.categories.tolist(), None], dtype=object)[held.codes]
    found: list[Any] = np.asarray(held).tolist()
    return found


@dataclass(frozen=True)
class Selection:
    """Which figures a view shows: metrics at places over all channels, and in its scope by channel too."""

    window: str
    """A key of `metrics.readings.WINDOWS`."""
    metrics: Sequence[str]
    places: Sequence[str]
    scope: str


class ViewFigures:
    """Readings and trends by metric, region and channel; None and all-missing where there is nothing.

    Each frame is looked through once, when the first figure of it is asked for.
    """

    def __init__(self, snapshot: Snapshot, selection: Selection) -> None:
        self.at = snapshot.at
        self._snapshot, self._selection = snapshot, selection

    @cached_property
    def any_known(self) -> bool:
        """Whether the snapshot has any reading at all; it has none before the first source was read."""
        return not self._snapshot.readings.empty

    @cached_property
    def _readings(self) -> dict[Key, Reading]:
        return _readings(self._snapshot.readings, self._selection)

    @cached_property
    def _trends(self) -> dict[Key, list[float]]:
        return _trends(self._snapshot.trend, self._selection)

    @cached_property
    def _last(self) -> datetime | None:
        trend = self._snapshot.trend
        return None if trend.empty else moment(trend["start"].max())

    def reading(self, metric: str, region: str, channel: str = "") -> Reading | None:
        """One figure, or None when the snapshot has no such row: nobody delivers it there."""
        return self._readings.get((metric, region, channel))

    def trend(self, metric: str, region: str, channel: str = "") -> list[float | None]:
        """The last two hours in five-minute buckets, oldest first; None where nothing is known."""
        return [known(value) for value in self._trends.get((metric, region, channel), [math.nan] * BUCKETS)]

    def starts(self) -> list[datetime]:
        """When each bucket of a trend begins; empty before there is any trend."""
        if self._last is None:
            return []
        return [self._last - BUCKET * back for back in range(BUCKETS - 1, -1, -1)]


def _rows(frame: pd.DataFrame, selection: Selection) -> npt.NDArray[np.bool_]:
    whole = among(frame["region"], selection.places) & among(frame["channel"], [""])
    return (whole | among(frame["region"], [selection.scope])) & among(frame["metric"], selection.metrics)


def _readings(frame: pd.DataFrame, selection: Selection) -> dict[Key, Reading]:
    rows = np.flatnonzero(_rows(frame, selection) & among(frame["window"], [selection.window]))
    columns = {name: values(frame[name], rows) for name in READINGS.columns}
    times = {at: moment(at) for at in set(columns["at"])}
    found = {}
    for row in zip(*columns.values(), strict=True):
        metric, _, region, channel, value, numerator, denominator, n, previous, at, state, trust, reason = row
        found[metric, region, channel] = Reading(
            metric, selection.window, region, channel, known(value), known(numerator), known(denominator), n,
            known(previous), times.get(at), State(state), Trust(trust), reason,
        )  # fmt: skip
    return found


def _trends(frame: pd.DataFrame, selection: Selection) -> dict[Key, list[float]]:
    """Buckets by key, made as one dense block (keys, BUCKETS), because a loop over the rows takes ten times as long."""
    if frame.empty:
        return {}
    last = frame["start"].max()
    rows = np.flatnonzero(_rows(frame, selection))
    columns = [frame[name] for name in ("metric", "region", "channel")]
    coded = [pd.factorize(column.array[rows]) for column in columns]
    codes = np.ravel_multi_index([code for code, _ in coded], [max(1, len(found)) for _, found in coded])
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    back = np.asarray((last - frame["start"].array[rows]) // BUCKET, dtype=np.int64)
    block = np.full((len(first), BUCKETS), np.nan)
    seen = back < BUCKETS
    block[group[seen], BUCKETS - 1 - back[seen]] = frame["value"].to_numpy()[rows][seen]
    keys = zip(*(values(column, rows[first]) for column in columns), strict=True)
    return dict(zip(keys, block.tolist(), strict=True))


def known(value: float) -> float | None:
    """A frame's number, None for its NaN."""
    return None if math.isnan(value) else value


def moment(value: pd.Timestamp) -> datetime | None:
    """A frame's time, None for its NaT."""
    return None if pd.isna(value) else value.to_pydatetime()
