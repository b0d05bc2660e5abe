"""The only way into `observation`: newer wins, what was replaced is kept, and nothing is done twice.

1. Rows (keys and values as codes) of intervals of which their channel has nothing yet are appended as they are.
2. The others are joined once to the rows of their channels and time range: `change`.
3. Rows that are replaced or removed go to `superseded` with the second in which they ended.
4. Replaced rows are updated in place, confirmed rows take the newer revision, removed rows are deleted.
5. New rows are appended.

Tables of several channels go this way together: most of what it costs is the same for one of them as for all.
"""

# ruff: noqa: S608 - statements are put together from constants, never from text that came in.

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.history import Written

_WITHIN = "channel BETWEEN $first AND $last AND start BETWEEN $low AND $high"
_HELD = f"SELECT DISTINCT channel, start FROM observation WHERE {_WITHIN}"

_CLASSIFY = f"""
CREATE OR REPLACE TEMP TABLE change AS
SELECT i.*, o.held, (CASE
    WHEN o.held IS NULL THEN 'new'
    WHEN NOT $forced AND i.revision <= o.revision THEN CASE WHEN o.value = i.value THEN 'same' ELSE 'older' END
    WHEN o.value <> i.value THEN 'changed'
    WHEN i.revision > o.revision THEN 'confirmed'
    ELSE 'same' END)::ENUM ('new','changed','confirmed','older','same','removed') AS what
FROM incoming i LEFT JOIN (
    SELECT rowid AS held, channel, measure, region, dimension, start, value, revision FROM observation
    WHERE {_WITHIN}
) o USING (channel, measure, region, dimension, start)"""

_COUNT = "SELECT channel, what, count(*), min(start), max(start) FROM change GROUP BY channel, what"

_KEEP = """
INSERT INTO superseded SELECT o.*, c.received_at FROM observation o JOIN change c ON o.rowid = c.held
WHERE o.start BETWEEN $low AND $high AND c.what IN ('changed', 'removed')"""

_REPLACE = """
UPDATE observation o SET value = c.value, reported = c.reported, batch = c.batch,
    revision = greatest(c.revision, o.revision), received_at = greatest(c.received_at, o.received_at)
FROM change c WHERE o.rowid = c.held AND c.what = 'changed' AND o.start BETWEEN $low AND $high"""

_CONFIRM = """
UPDATE observation o SET revision = c.revision, batch = c.batch
FROM change c WHERE o.rowid = c.held AND c.what = 'confirmed' AND o.start BETWEEN $low AND $high"""

_REMOVE = """
DELETE FROM observation o
WHERE o.start BETWEEN $low AND $high AND o.rowid IN (SELECT held FROM change WHERE what = 'removed')"""

_APPEND = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start, value, reported, revision, received_at, batch
FROM """

_APPEND_NEW = f"{_APPEND} change WHERE what = 'new'"
_APPEND_FIRST = f"{_APPEND} first_rows"

Counts = dict[str, tuple[int, int, int]]
"""What happened to how many rows, with their first and last start."""
STAMPED = {"channel": np.uint16, "revision": np.int64, "received_at": np.int64, "batch": np.uint32}
"""What a row has from its stamp."""
Known = dict[str, int | bool]
"""Parameters of the statements."""


@dataclass(frozen=True)
class Stamp:
    """A batch stamp as codes and seconds."""

    channel: int
    batch: int
    revision: int
    received_at: int
    interval_s: int
    """Length of the channel's intervals: `Written.touched` ends one after the last start."""


@dataclass(frozen=True)
class Table:
    """A frame of codes (measure, region, dimension, start, value, reported), at least one row, and its stamp."""

    stamp: Stamp
    frame: pd.DataFrame


def upsert(cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table], forced: bool = False) -> list[Written]:
    """Merge tables of different channels in the caller's transaction.

    `forced` (sums of the contact ledger) replaces whatever the revision; there a NULL value removes its key.
    """
    held = _run(cursor, _HELD, _range(tables)).fetchnumpy()
    again = [
        np.isin(one.frame["start"].to_numpy(), held["start"][held["channel"] == one.stamp.channel]) for one in tables
    ]
    counts = _append_first(cursor, [Table(one.stamp, one.frame[~old]) for one, old in zip(tables, again, strict=True)])
    known = [Table(one.stamp, one.frame[old]) for one, old in zip(tables, again, strict=True) if old.any()]
    if known:
        for channel, what, number, first, last in _merge(cursor, known, forced):
            other = counts[channel].get(what, (0, first, last))
            counts[channel][what] = (number + other[0], min(first, other[1]), max(last, other[2]))
    return [_written(counts[one.stamp.channel], one.stamp.interval_s) for one in tables]


def _range(tables: Sequence[Table]) -> Known:
    """From the first start and channel to the last."""
    starts = [int(edge) for one in tables for edge in (one.frame["start"].min(), one.frame["start"].max())]
    channels = [one.stamp.channel for one in tables]
    return {"low": min(starts), "high": max(starts), "first": min(channels), "last": max(channels)}


def _append_first(cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[int, Counts]:
    """Append rows of intervals of which the channel has nothing yet; a sum that is NULL has no contact in it."""
    counts: dict[int, Counts] = {one.stamp.channel: {} for one in tables}
    given = [Table(one.stamp, one.frame[one.frame["value"].notna()]) for one in tables]
    given = [one for one in given if len(one.frame)]
    if given:
        cursor.register("first_rows", _together(given))
        _run(cursor, _APPEND_FIRST, {})
    for one in given:
        starts = one.frame["start"]
        counts[one.stamp.channel]["new"] = (len(starts), int(starts.min()), int(starts.max()))
    return counts


def _merge(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table], forced: bool
) -> list[tuple[int, str, int, int, int]]:
    """Merge tables with the rows of their time range; gives what happened by channel."""
    known = _range(tables) | {"forced": forced}
    cursor.register("incoming", _together(tables))
    _run(cursor, _CLASSIFY, known)
    if forced:
        cursor.execute("UPDATE change SET what = 'removed' WHERE value IS NULL AND held IS NOT NULL")
        cursor.execute("DELETE FROM change WHERE value IS NULL AND held IS NULL")
    counts = cursor.execute(_COUNT).fetchall()
    happened = {what for _, what, *_ in counts}
    steps = (
        (_KEEP, {"changed", "removed"}),
        (_REPLACE, {"changed"}),
        (_CONFIRM, {"confirmed"}),
        (_REMOVE, {"removed"}),
        (_APPEND_NEW, {"new"}),
    )
    for statement, wanted in steps:
        if wanted & happened:
            _run(cursor, statement, known)
    return counts


def _together(tables: Sequence[Table]) -> pd.DataFrame:
    """The rows of tables as one frame, each with its stamp."""
    sizes = [len(one.frame) for one in tables]
    columns = {name: np.concatenate([one.frame[name].to_numpy() for one in tables]) for name in tables[0].frame}
    stamps = {
        name: np.repeat(np.array([getattr(one.stamp, name) for one in tables], kind), sizes)
        for name, kind in STAMPED.items()
    }
    return pd.DataFrame(columns | stamps)


def _run(cursor: duckdb.DuckDBPyConnection, statement: str, known: Known) -> duckdb.DuckDBPyConnection:
    """Execute with those of the known parameters that the statement names: DuckDB refuses others."""
    return cursor.execute(statement, {name: value for name, value in known.items() if f"${name}" in statement})


def _written(counts: Counts, interval_s: int) -> Written:
    moved = [counts[what] for what in ("new", "changed", "removed") if what in counts]
    touched = None
    if moved:
        first, last = min(row[1] for row in moved), max(row[2] for row in moved)
        touched = Interval(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last + interval_s, UTC))
    number = defaultdict(int, {what: row[0] for what, row in counts.items()})
    return Written(
        inserted=number["new"],
        changed=number["changed"],
        removed=number["removed"],
        unchanged=number["same"] + number["confirmed"],
        superseded_older=number["older"],
        touched=touched,
    )
