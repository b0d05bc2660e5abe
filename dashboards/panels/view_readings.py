"""The readings of one view, taken out of a snapshot once and then looked up by name.

A snapshot holds every figure of the country; a window shows a few hundred of them. Key columns are
categories (integer codes), so choosing rows compares numbers and takes well under a millisecond.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.readings import READING_COLUMNS, Reading, Snapshot, State, Trust

BUCKETS = 24
"""Five-minute buckets of a trend."""
BUCKET = timedelta(minutes=5)


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


class ViewFigures:
    """Readings and trends by metric, region and channel; None and all-missing where there is nothing.

    The regions' own figures, and those of every channel in the first region, the scope of the view.
    """

    def __init__(self, snapshot: Snapshot, window: str, metrics: Sequence[str], regions: Sequence[str]) -> None:
        self.at = snapshot.at
        self._readings = _readings(snapshot.readings, window, metrics, regions)
        self._trends = _trends(snapshot.trend, metrics, regions)
        self._last = None if snapshot.trend.empty else moment(snapshot.trend["start"].max())

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


def _rows(frame: pd.DataFrame, metrics: Sequence[str], regions: Sequence[str]) -> npt.NDArray[np.bool_]:
    whole = among(frame["region"], regions) & among(frame["channel"], [""])
    return (whole | among(frame["region"], regions[:1])) & among(frame["metric"], metrics)


def _readings(
    frame: pd.DataFrame, window: str, metrics: Sequence[str], regions: Sequence[str]
) -> dict[tuple[str, str, str], Reading]:
    rows = np.flatnonzero(_rows(frame, metrics, regions) & among(frame["window"], [window]))
    columns = {name: values(frame[name], rows) for name in READING_COLUMNS}
    times = {at: moment(at) for at in set(columns["at"])}
    found = {}
    for row in zip(*columns.values(), strict=True):
        metric, _, region, channel, value, numerator, denominator, n, previous, at, state, trust, reason = row
        found[metric, region, channel] = Reading(
            metric, window, region, channel, known(value), known(numerator), known(denominator), n, known(previous),
            times.get(at), State(state), Trust(trust), reason,
        )  # fmt: skip
    return found


def _trends(
    frame: pd.DataFrame, metrics: Sequence[str], regions: Sequence[str]
) -> dict[tuple[str, str, str], list[float]]:
    """Buckets by key, made as one dense block (keys, BUCKETS), because a loop over the rows takes ten times as long."""
    if frame.empty:
        return {}
    last = frame["start"].max()
    rows = np.flatnonzero(_rows(frame, metrics, regions))
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
