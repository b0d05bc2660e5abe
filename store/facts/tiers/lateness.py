"""Rows of time that is closed cannot be merged exactly any more: they are kept for the steward, not counted."""

from datetime import datetime

import pandas as pd

RULE, CODE = "TM-02", "time_closed"
"""The rule of lateness, and the words of `reject.` and `mend.`."""


def in_time(table: pd.DataFrame, closed: datetime | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that can be merged, and those that come too late; of a contact all or none.

    A table whose starts are not times goes through: the store refuses it with its own words.
    """
    if closed is None or not _timed(table):
        return table, table.iloc[:0]
    late = table["start"] < closed
    if "contact" in table:
        late |= table["contact"].isin(table.loc[late, "contact"])
    return (table, table.iloc[:0]) if not late.any() else (table[~late], table[late])


def starts_of(table: pd.DataFrame) -> list[datetime]:
    """Every start that a table names, once."""
    return [start.to_pydatetime() for start in table["start"].array.unique().dropna()] if _timed(table) else []


def _timed(table: pd.DataFrame) -> bool:
    return "start" in table and isinstance(table["start"].dtype, pd.DatetimeTZDtype)


def late_rows_aside(late: pd.DataFrame) -> pd.DataFrame:
    """ASIDE_COLUMNS of rows that come too late, each with all that it said."""
    names = [name for name in ("contact", "measure", "region", "dimension", "start", "value") if name in late]
    cells = zip(*(late[name].astype(str) for name in names), strict=True)
    texts = [" ".join(f"{name}={cell}" for name, cell in zip(names, row, strict=True) if cell) for row in cells]
    table = pd.DataFrame({"rule": RULE, "column": "start", "code": CODE, "value": texts, "kept": False})
    return table.assign(line=pd.array([pd.NA] * len(table), dtype="Int64"))
