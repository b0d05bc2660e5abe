"""Tables from outside become integer frames here, and are refused here if they break the seam."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Level
from metrics.observations import CONTRIBUTION_COLUMNS, OBSERVATION_COLUMNS, decode_dimensions, encode_dimensions
from store.facts.names import Codes, Names
from store.history import BadTable, BatchStamp

KEYS = ("measure", "region", "dimension", "start")
"""The key of a row within its channel."""

RANKS = {level: rank for rank, level in enumerate(Level)}
"""Coarse to fine: a region with a lower rank than the delivery's grain is a reported total."""


class Encoder:
    """Turns the tables of one batch into frames of codes: measure, region, dimension, start, value, …"""

    def __init__(self, catalogue: Catalogue, names: Names, stamp: BatchStamp) -> None:
        self._catalogue, self._names, self._stamp = catalogue, names, stamp
        if stamp.channel not in catalogue.channels:
            raise self._bad(f"unknown channel {stamp.channel!r}")

    def observations(self, table: pd.DataFrame) -> pd.DataFrame:
        """OBSERVATION_COLUMNS as codes, with `reported`."""
        self._demand(table, OBSERVATION_COLUMNS)
        return self.with_reported(self._keys(table))

    def contributions(self, table: pd.DataFrame) -> pd.DataFrame:
        """CONTRIBUTION_COLUMNS as codes, `contact` as text."""
        self._demand(table, CONTRIBUTION_COLUMNS)
        contacts = table["contact"]
        if contacts.isna().any() or (contacts.astype(str) == "").any():
            raise self._bad("a contribution has no contact")
        frame = self._keys(table)
        frame["contact"] = contacts.astype(str).to_numpy(dtype=object)
        return frame

    def with_reported(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame of codes with `reported`: whether the region is coarser than the channel's grain of the measure."""
        grain = self._ranks("measure", frame["measure"], self._grain)
        level = self._ranks("region", frame["region"], lambda label: self._catalogue.regions[label].level)
        return frame.assign(reported=level < grain)

    def _keys(self, table: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "measure": self._codes(table, "measure", self._check_measures).astype(np.uint16),
                "region": self._codes(table, "region", self._check_regions).astype(np.uint16),
                "dimension": self._codes(table, "dimension", self._check_dimensions),
                "start": self._seconds(table["start"]),
                "value": self._values(table["value"]),
            }
        )

    def _codes(self, table: pd.DataFrame, column: str, check: Callable[[Iterable[str]], None]) -> Codes:
        positions, labels = _positions(table[column])
        if (positions < 0).any():
            raise self._bad(f"{column} is missing in row {int(np.argmin(positions))}")
        check(labels)
        codes: Codes = self._names.give(column, [str(label) for label in labels])[positions]
        return codes

    def _seconds(self, column: pd.Series) -> npt.NDArray[np.int64]:
        if not isinstance(column.dtype, pd.DatetimeTZDtype):
            raise self._bad(f"start is {column.dtype}, a time with a zone is wanted")
        if column.isna().any():
            raise self._bad("start is missing")
        whole = column.dt.as_unit("s")
        if not (whole == column).all():
            raise self._bad("start is not in whole seconds")
        seconds: npt.NDArray[np.int64] = whole.astype("int64").to_numpy()
        return seconds

    def _values(self, column: pd.Series) -> npt.NDArray[np.float64]:
        try:
            values: npt.NDArray[np.float64] = column.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise self._bad(f"value is not a number: {error}") from error
        if not np.isfinite(values).all():
            raise self._bad(f"value is not finite in row {int(np.argmin(np.isfinite(values)))}")
        return values

    def _ranks(self, kind: str, codes: pd.Series, level: Callable[[str], Level]) -> npt.NDArray[np.int8]:
        used = np.flatnonzero(np.bincount(codes))
        ranks = np.zeros(used.max(initial=0) + 1, dtype=np.int8)
        ranks[used] = [RANKS[level(label)] for label in self._names.labels(kind, used)]
        found: npt.NDArray[np.int8] = ranks[codes]
        return found

    def _grain(self, measure: str) -> Level:
        delivery = self._catalogue.delivery(self._stamp.channel, measure)
        if delivery is None:
            raise self._bad(f"the channel does not deliver {measure!r} (config/channels/{self._stamp.channel}.yaml)")
        return delivery.grain

    def _check_measures(self, labels: Iterable[str]) -> None:
        for label in labels:
            if label not in self._catalogue.measures:
                raise self._bad(f"unknown measure {label!r}")
            self._grain(label)

    def _check_regions(self, labels: Iterable[str]) -> None:
        for label in labels:
            if label not in self._catalogue.regions:
                raise self._bad(f"unknown region {label!r}")

    def _check_dimensions(self, labels: Iterable[str]) -> None:
        for label in labels:
            try:
                canonical = encode_dimensions(decode_dimensions(label)) == label
            except (ValueError, TypeError, AttributeError):
                canonical = False
            if not canonical:
                raise self._bad(f"dimension {label!r} is not a key of encode_dimensions")

    def _demand(self, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
        missing = [column for column in columns if column not in table.columns]
        if missing:
            raise self._bad(f"columns missing: {', '.join(missing)}")

    def _bad(self, reason: str) -> BadTable:
        stamp = self._stamp
        return BadTable(f"batch {stamp.batch} of {stamp.channel}/{stamp.source}: {reason}")


def _positions(column: pd.Series) -> tuple[npt.NDArray[np.integer], Iterable[str]]:
    """The labels that occur, and by row which one it is; -1: none. Categories bring it along."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        found: tuple[npt.NDArray[np.integer], Iterable[str]] = pd.factorize(column)
        return found
    positions, labels = column.cat.codes.to_numpy(), column.cat.categories
    occurs = np.zeros(len(labels) + 1, dtype=bool)
    occurs[positions] = True
    if occurs[:-1].all():
        return positions, labels
    return np.where(positions < 0, -1, np.cumsum(occurs[:-1]).take(positions, mode="clip") - 1), labels[occurs[:-1]]


def last_of_each_key(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Drop rows whose key comes again later in the frame; gives how many.

    Mixed keys that all differ prove it in 3 ms for 180,000 rows, where comparing the columns takes 16 ms.
    """
    wide = np.uint64
    places = (frame["measure"].to_numpy(wide) << wide(48)) | (frame["region"].to_numpy(wide) << wide(32))
    key = (places | frame["dimension"].to_numpy(wide)) * wide(0x9E3779B97F4A7C15)
    key = np.sort(key + frame["start"].to_numpy().view(wide) * wide(0xC2B2AE3D27D4EB4F))
    if not (key[1:] == key[:-1]).any():
        return frame, 0
    again = frame.duplicated(list(KEYS), keep="last")
    return frame[~again], int(again.sum())
