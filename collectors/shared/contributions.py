"""Building the table of contributions: one row a contact and measure, key columns as categories."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Channel
from metrics.intervals import Seconds, floor_all
from metrics.observations import CONTRIBUTION_COLUMNS, encode_dimensions

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Coded:
    """A column of texts as codes into distinct texts."""

    codes: Codes
    texts: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Coded":
        """The column of these texts."""
        codes, distinct = pd.factorize(np.array(texts, dtype=object))
        return cls(codes, list(distinct))

    @classmethod
    def same(cls, text: str, length: int) -> "Coded":
        """One text in every row."""
        return cls(np.zeros(length, dtype=np.intp), (text,))

    @classmethod
    def merged(cls, codes: Codes, texts: Sequence[str]) -> "Coded":
        """Codes into texts that may repeat (two source codes mapped to one value)."""
        if len(set(texts)) == len(texts):
            return cls(codes, texts)
        merged, distinct = pd.factorize(np.array(texts, dtype=object))
        return cls(merged[codes], list(distinct))

    def each(self, per_text: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What is known of each distinct text, spread over the rows."""
        return np.asarray(per_text)[self.codes]

    def where(self, holds: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
        """Rows whose text fulfils a condition."""
        return np.array([holds(text) for text in self.texts], dtype=bool)[self.codes]

    def empty(self) -> npt.NDArray[np.bool_]:
        """Rows without text."""
        return self.where(lambda text: not text)

    def text(self, row: int) -> str:
        """The text of one row."""
        return self.texts[int(self.codes[row])]


def dimension_keys(dimensions: dict[str, Coded], length: int) -> Coded:
    """Canonical dimension keys of every row; a dimension whose text is empty is left out of the key."""
    combined = np.zeros(length, dtype=np.intp)
    for column in dimensions.values():
        _, combined = np.unique(combined * len(column.texts) + column.codes, return_inverse=True)
    _, first, codes = np.unique(combined, return_index=True, return_inverse=True)
    keys = []
    for row in first:
        values = {name: column.texts[column.codes[row]] for name, column in dimensions.items()}
        keys.append(encode_dimensions({name: value for name, value in values.items() if value}))
    return Coded.merged(codes, keys)


def starts_of(seconds: Seconds, counted: npt.NDArray[np.bool_], channel: Channel) -> Seconds:
    """Starts of the channel's intervals that hold the moments of the records that count.

    0 for the others: a record is refused for a time that no calendar has, too.
    """
    starts = np.zeros_like(seconds)
    starts[counted] = floor_all(seconds[counted], channel.interval_s, ZoneInfo(channel.zone))
    return starts


@dataclass
class ContributionTable:
    """Rows of contributions in the making, over contacts that are numbered 0, 1, …"""

    contacts: Sequence[str]
    regions: Coded
    starts: npt.NDArray[np.int64]
    """Interval starts in seconds since 1970, UTC."""
    measures: list[str] = field(default_factory=list)
    parts: list[tuple[npt.NDArray[np.intp], Coded, npt.NDArray[np.float64]]] = field(default_factory=list)

    def add(self, measure: str, rows: npt.NDArray[np.intp], keys: Coded, values: npt.NDArray[np.float64]) -> None:
        """Let some contacts contribute to a measure; `keys` are of all contacts, `values` of these."""
        self.measures.append(measure)
        self.parts.append((rows, keys, values))

    def frame(self) -> pd.DataFrame:
        """The table, with the columns of CONTRIBUTION_COLUMNS."""
        rows = np.concatenate([part[0] for part in self.parts] or [np.zeros(0, dtype=np.intp)])
        lengths = [len(part[0]) for part in self.parts]
        # The type is named because pandas takes a list without any text for objects, which it will not join with texts.
        dimensions = [
            pd.Categorical.from_codes(keys.codes[at], pd.Index(list(keys.texts), dtype="str"))
            for at, keys, _ in self.parts
        ]
        names = list(dict.fromkeys(self.measures))
        measures = np.repeat([names.index(name) for name in self.measures], lengths).astype(np.intp)
        contacts, texts = pd.factorize(np.array(self.contacts, dtype=object))
        table = {
            "contact": pd.Categorical.from_codes(contacts[rows], texts),
            "measure": pd.Categorical.from_codes(measures, names),
            "region": pd.Categorical.from_codes(self.regions.codes[rows], list(self.regions.texts)),
            "dimension": pd.api.types.union_categoricals(dimensions) if dimensions else pd.Categorical([]),
            "start": pd.DatetimeIndex(self.starts[rows].astype("datetime64[s]")).tz_localize("UTC"),
            "value": np.concatenate([part[2] for part in self.parts] or [np.zeros(0)]),
        }
        return pd.DataFrame(table)[list(CONTRIBUTION_COLUMNS)]
