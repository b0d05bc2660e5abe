"""What the interface gives: rows of named columns, each of a kind that every format can write without loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd


class Kind(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    """Never missing: '' is what has none."""
    NUMBER = "number"
    """Any number, or none."""
    INTEGER = "integer"
    """A whole number, or none."""
    BOOLEAN = "boolean"
    TIME = "time"
    """An instant, or none."""


@dataclass(frozen=True)
class Column:
    """A column by its name and kind; what it means are the words `api.column.<name>`."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Table:
    """Columns, and a frame that has at least these."""

    columns: tuple[Column, ...]
    frame: pd.DataFrame


def columns(text: str = "", **kinds: str) -> tuple[Column, ...]:
    """Columns from names separated by spaces: those of `text`, then those of each other kind."""
    named = [Column(name) for name in text.split()]
    return (*named, *(Column(name, Kind(kind)) for kind, names in kinds.items() for name in names.split()))


def cells(column: Column, series: "pd.Series[Any]") -> Sequence[Any]:
    """A column's cells as Python has them: str, float, int, bool or aware datetime; None is none."""
    if column.kind is Kind.TIME:
        moments = pd.to_datetime(series, utc=True).astype("datetime64[us, UTC]").astype("int64")
        return [None if missing else _moment(value) for value, missing in zip(moments, series.isna(), strict=True)]
    if column.kind is Kind.TEXT:
        return ["" if missing else str(text) for text, missing in zip(series, series.isna(), strict=True)]
    values = series.astype(object).where(series.notna(), None).tolist()
    if column.kind is Kind.BOOLEAN:
        return [bool(value) for value in values]
    make = int if column.kind is Kind.INTEGER else float
    return [None if value is None or not np.isfinite(value) else make(value) for value in values]


def _moment(microseconds: int) -> datetime:
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
