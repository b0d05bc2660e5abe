"""Tables from outside become integer frames here, and are refused here if they break the seam."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Level
from metrics.observations import CONTRIBUTION_COLUMNS, OBSERVATION_COLUMNS, decode_dimensions, encode_dimensions
from store.facts.history import BatchStamp
from store.facts.shared.names import Codes, Names
from store.faults import BadTable

KEYS = ("measure", "region", "dimension", "start")
"""The key of a row within its channel."""

Columns = dict[str, npt.NDArray[Any]]
"""Columns of a frame, one row after another."""


class Encoder:
    """Turns the tables of one batch into frames of codes: measure, region, dimension, start, value, …"""

    def __init__(self, catalogue: Catalogue, names: Names, stamp: BatchStamp) -> None:
        self._catalogue, self._names, self._stamp = catalogue, names, stamp
        if stamp.channel not in catalogue.channels:
            raise self._fault(f"unknown channel {stamp.channel!r}")
        delivered = [delivery for source in catalogue.channels[stamp.channel].sources for delivery in source.delivers]
        # Of a measure that comes by several ways the first counts, as in `Catalogue.delivery`.
        self._grains = {delivery.measure: delivery.grain for delivery in reversed(delivered)}

    def observations(self, table: pd.DataFrame) -> pd.DataFrame:
        """OBSERVATION_COLUMNS as codes, with `reported`."""
        self._check_columns(table, OBSERVATION_COLUMNS)
        columns = self._columns(table)
        return _frame({**columns, "reported": self._reported(columns["measure"], columns["region"])})

    def withdrawn(self, keys: pd.DataFrame) -> pd.DataFrame:
        """OBSERVATION_COLUMNS without value as codes, with `reported`; NaN as value takes a key back."""
        return self.observations(keys.assign(value=0.0)).assign(value=np.nan)

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """CONTRIBUTION_COLUMNS as codes, `contact` as text."""
        self._check_columns(table, CONTRIBUTION_COLUMNS)
        contacts = table["contact"]
        if contacts.isna().any() or (contacts.astype(str) == "").any():
            raise self._fault("a contribution has no contact")
        return _frame({**self._columns(table), "contact": contacts.astype(str).to_numpy(dtype=object)})

    def with_reported(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame of codes with `reported`: whether the region is coarser than the channel's grain of the measure."""
        return frame.assign(reported=self._reported(frame["measure"].to_numpy(), frame["region"].to_numpy()))

    def _columns(self, table: pd.DataFrame) -> Columns:
        return {
            "measure": self._codes(table, "measure", self._check_measures).astype(np.uint16),
            "region": self._codes(table, "region", self._check_regions).astype(np.uint16),
            "dimension": self._codes(table, "dimension", self._check_dimensions),
            "start": self._seconds(table["start"]),
            "value": self._values(table["value"]),
        }

    def _codes(self, table: pd.DataFrame, column: str, check: Callable[[list[str]], None]) -> Codes:
        positions, labels = _positions(table[column])
        if positions.min(initial=0) < 0:
            raise self._fault(f"{column} is missing in row {int(np.argmin(positions))}")
        check(labels)
        codes: Codes = self._names.give(column, labels).take(positions)
        return codes

    def _seconds(self, column: pd.Series) -> npt.NDArray[np.int64]:
        moments = column.array
        if not isinstance(moments, pd.arrays.DatetimeArray) or moments.tz is None:
            raise self._fault(f"start is {column.dtype}, a time with a zone is wanted")
        if moments.isna().any():
            raise self._fault("start is missing")
        whole = moments.as_unit("s")
        if not (whole == moments).all():
            raise self._fault("start is not in whole seconds")
        seconds: npt.NDArray[np.int64] = whole.asi8
        return seconds

    def _values(self, column: pd.Series) -> npt.NDArray[np.float64]:
        try:
            values: npt.NDArray[np.float64] = column.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise self._fault(f"value is not a number: {error}") from error
        if not np.isfinite(values).all():
            raise self._fault(f"value is not finite in row {int(np.argmin(np.isfinite(values)))}")
        return values

    def _reported(self, measures: npt.NDArray[np.integer], regions: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Rows of a region whose level is coarser than the delivery's grain: reported totals."""
        grain = self._ranks("measure", measures, self._grain)
        level = self._ranks("region", regions, lambda label: self._catalogue.regions[label].level)
        coarser: npt.NDArray[np.bool_] = level < grain
        return coarser

    def _ranks(self, kind: str, codes: npt.NDArray[np.integer], level: Callable[[str], Level]) -> npt.NDArray[np.int8]:
        used = np.flatnonzero(np.bincount(codes))
        ranks = np.zeros(used.max(initial=0) + 1, dtype=np.int8)
        ranks[used] = [level(label).rank for label in self._names.labels(kind, used.tolist())]
        found: npt.NDArray[np.int8] = ranks.take(codes)
        return found

    def _grain(self, measure: str) -> Level:
        grain = self._grains.get(measure)
        if grain is None:
            raise self._fault(f"the channel does not deliver {measure!r} (config/channels/{self._stamp.channel}.yaml)")
        return grain

    def _check_measures(self, labels: list[str]) -> None:
        for label in labels:
            if label not in self._catalogue.measures:
                raise self._fault(f"unknown measure {label!r}")
            self._grain(label)

    def _check_regions(self, labels: list[str]) -> None:
        for label in labels:
            if label not in self._catalogue.regions:
                raise self._fault(f"unknown region {label!r}")

    def _check_dimensions(self, labels: list[str]) -> None:
        for label in labels:
            try:
                canonical = encode_dimensions(decode_dimensions(label)) == label
            except (ValueError, TypeError, AttributeError):
                canonical = False
            if not canonical:
                raise self._fault(f"dimension {label!r} is not a key of encode_dimensions")

    def _check_columns(self, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
        missing = [column for column in columns if column not in table.columns]
        if missing:
            raise self._fault(f"columns missing: {', '.join(missing)}")

    def _fault(self, reason: str) -> BadTable:
        stamp = self._stamp
        return BadTable(f"batch {stamp.batch} of {stamp.channel}/{stamp.source}: {reason}")


def _frame(columns: Columns) -> pd.DataFrame:
    """Columns as a frame that holds them as they are: to stack those of one type would copy them all."""
    return pd.DataFrame(columns, copy=False)


def _positions(column: pd.Series) -> tuple[npt.NDArray[np.integer], list[str]]:
    """The labels that occur, and by row which one it is; -1: none. Categories bring it along."""
    cells = column.array
    if not isinstance(cells, pd.Categorical):
        found, labels = pd.factorize(column)
        return found, np.asarray(labels, dtype=object).tolist()
    positions, labels = cells.codes, cells.categories.to_numpy(dtype=object)
    occurs = np.zeros(len(labels) + 1, dtype=bool)
    occurs[positions] = True
    if not occurs[:-1].all():
        new_positions = np.append(np.cumsum(occurs[:-1]) - 1, -1)
        positions, labels = new_positions.take(positions), labels[occurs[:-1]]
    return positions, labels.tolist()


def last_of_each_key(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Drop rows whose key comes again later in the frame; gives how many.

    Mixed keys that all differ prove it in 3 ms for 180,000 rows, where comparing the columns takes 16 ms.
    """
    uint64 = np.uint64
    regions = (frame["measure"].to_numpy(uint64) << uint64(48)) | (frame["region"].to_numpy(uint64) << uint64(32))
    key = (regions | frame["dimension"].to_numpy(uint64)) * uint64(0x9E3779B97F4A7C15)
    key = np.sort(key + frame["start"].to_numpy().view(uint64) * uint64(0xC2B2AE3D27D4EB4F))
    if not (key[1:] == key[:-1]).any():
        return frame, 0
    repeated = frame.duplicated(list(KEYS), keep="last")
    return frame[~repeated], int(repeated.sum())
