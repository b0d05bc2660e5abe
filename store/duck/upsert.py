"""The only way into `observation`: newer wins, what was replaced is kept, and nothing is done twice.

1. Rows (keys and values as codes) of intervals of which the channel has nothing yet are appended as they are.
2. The others are joined once to the rows of their channel and time range: `change`.
3. Rows that are replaced or removed go to `superseded` with the second in which they ended.
4. Replaced rows are updated in place, confirmed rows take the newer revision, removed rows are deleted.
5. New rows are appended.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.history import Written

_HELD = "SELECT DISTINCT start FROM observation WHERE channel = $channel AND start BETWEEN $low AND $high"

_CLASSIFY = """
CREATE OR REPLACE TEMP TABLE change AS
SELECT i.*, o.held, (CASE
    WHEN o.held IS NULL THEN 'new'
    WHEN NOT $forced AND $revision <= o.revision THEN CASE WHEN o.value = i.value THEN 'same' ELSE 'older' END
    WHEN o.value <> i.value THEN 'changed'
    WHEN $revision > o.revision THEN 'confirmed'
    ELSE 'same' END)::ENUM ('new','changed','confirmed','older','same','removed') AS what
FROM incoming i LEFT JOIN (
    SELECT rowid AS held, measure, region, dimension, start, value, revision FROM observation
    WHERE channel = $channel AND start BETWEEN $low AND $high
) o USING (measure, region, dimension, start)"""

_COUNT = "SELECT what, count(*), min(start), max(start) FROM change GROUP BY what"

_KEEP = """
INSERT INTO superseded SELECT o.*, $received_at FROM observation o
WHERE o.start BETWEEN $low AND $high AND o.rowid IN (SELECT held FROM change WHERE what IN ('changed', 'removed'))"""

_REPLACE = """
UPDATE observation o SET value = c.value, reported = c.reported, batch = $batch,
    revision = greatest($revision, o.revision), received_at = greatest($received_at, o.received_at)
FROM change c WHERE o.rowid = c.held AND c.what = 'changed' AND o.start BETWEEN $low AND $high"""

_CONFIRM = """
UPDATE observation o SET revision = $revision, batch = $batch
FROM change c WHERE o.rowid = c.held AND c.what = 'confirmed' AND o.start BETWEEN $low AND $high"""

_REMOVE = """
DELETE FROM observation o
WHERE o.start BETWEEN $low AND $high AND o.rowid IN (SELECT held FROM change WHERE what = 'removed')"""

_APPEND = """
INSERT INTO observation
SELECT $channel, measure, region, dimension, start, value, reported, $revision, $received_at, $batch
FROM """

_APPEND_NEW = f"{_APPEND} change WHERE what = 'new'"
_APPEND_FIRST = f"{_APPEND} first_rows"

Counts = dict[str, tuple[int, int, int]]
"""What happened to how many rows, with their first and last start."""


@dataclass(frozen=True)
class Stamp:
    """A batch stamp as codes and seconds."""

    channel: int
    batch: int
    revision: int
    received_at: int
    interval_s: int
    """Length of the channel's intervals: `Written.touched` ends one after the last start."""


def upsert(cursor: duckdb.DuckDBPyConnection, stamp: Stamp, frame: pd.DataFrame, forced: bool = False) -> Written:
    """Merge a frame (measure, region, dimension, start, value, reported) in the caller's transaction.

    `forced` (sums of the contact ledger) replaces whatever the revision; there a NULL value removes its key.
    """
    starts = frame["start"].to_numpy()
    known = {"low": int(starts.min()), "high": int(starts.max()), "channel": stamp.channel, "batch": stamp.batch}
    known |= {"revision": stamp.revision, "received_at": stamp.received_at, "forced": forced}
    held = _run(cursor, _HELD, known).fetchnumpy()["start"]
    again = np.isin(starts, held)
    counts = _append_first(cursor, known, frame[~again] if len(held) else frame)
    if again.any():
        cursor.register("incoming", frame[again])
        for what, (number, first, last) in _merge(cursor, known).items():
            other = counts.get(what, (0, first, last))
            counts[what] = (number + other[0], min(first, other[1]), max(last, other[2]))
    return _written(counts, stamp.interval_s)


def _append_first(cursor: duckdb.DuckDBPyConnection, known: dict[str, int | bool], frame: pd.DataFrame) -> Counts:
    """Append rows of intervals of which the channel has nothing yet; a sum that is NULL has no contact in it."""
    rows = frame[frame["value"].notna()] if known["forced"] else frame
    if rows.empty:
        return {}
    cursor.register("first_rows", rows)
    _run(cursor, _APPEND_FIRST, known)
    return {"new": (len(rows), int(rows["start"].min()), int(rows["start"].max()))}


def _merge(cursor: duckdb.DuckDBPyConnection, known: dict[str, int | bool]) -> Counts:
    """Merge the view `incoming` with the rows of its time range."""
    _run(cursor, _CLASSIFY, known)
    if known["forced"]:
        cursor.execute("UPDATE change SET what = 'removed' WHERE value IS NULL AND held IS NOT NULL")
        cursor.execute("DELETE FROM change WHERE value IS NULL AND held IS NULL")
    counts = {what: (n, first, last) for what, n, first, last in cursor.execute(_COUNT).fetchall()}
    steps = (
        (_KEEP, ("changed", "removed")),
        (_REPLACE, ("changed",)),
        (_CONFIRM, ("confirmed",)),
        (_REMOVE, ("removed",)),
        (_APPEND_NEW, ("new",)),
    )
    for statement, wanted in steps:
        if any(what in counts for what in wanted):
            _run(cursor, statement, known)
    return counts


def _run(cursor: duckdb.DuckDBPyConnection, statement: str, known: dict[str, int | bool]) -> duckdb.DuckDBPyConnection:
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
