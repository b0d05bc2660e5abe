"""Rows that were doubted or not counted, kept for the steward: the table as it comes, and as it is given back."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import pandas as pd

from metrics.observations import Interval
from store.facts.history import ASIDE_COLUMNS, BatchStamp
from store.facts.shared.seconds import moments, second_from
from store.faults import BadTable

TEXTS = ("rule", "column", "code", "value")
"""Columns of ASIDE_COLUMNS that are text."""
NAMES = ("channel", "source", "batch")
"""What each row has from its batch, beside received_at."""
ALWAYS = (-(2**62), 2**62)


def checked(stamp: BatchStamp, table: pd.DataFrame) -> pd.DataFrame:
    """ASIDE_COLUMNS with the types that they have there; raises BadTable where one is missing."""
    missing = [column for column in ASIDE_COLUMNS if column not in table.columns]
    if missing:
        raise BadTable(f"what batch {stamp.batch} keeps aside: columns missing: {', '.join(missing)}")
    typed = table[list(ASIDE_COLUMNS)].astype(dict.fromkeys(TEXTS, "str") | {"line": "Int64", "kept": "bool"})
    return typed.fillna(dict.fromkeys(TEXTS, ""))


def bounds(received: Interval | None) -> tuple[int, int]:
    """From which second on, and before which, rows were received; None: whenever."""
    return ALWAYS if received is None else (second_from(received.start), second_from(received.end))


def as_frame(found: Mapping[str, Any], lines: "pd.arrays.IntegerArray | pd.Series[Any]") -> pd.DataFrame:
    """Columns that an engine gave as `History.aside` gives them; received_at in seconds since 1970."""
    received: npt.NDArray[Any] = pd.Series(found["received_at"], dtype="int64").to_numpy()
    texts = {name: pd.Series(found[name], dtype="str").fillna("") for name in (*NAMES, *TEXTS)}
    columns = {**texts, "received_at": moments(received), "line": lines}
    columns["kept"] = pd.Series(found["kept"], dtype="bool")
    return pd.DataFrame({name: columns[name] for name in (*NAMES, "received_at", *ASIDE_COLUMNS)})
