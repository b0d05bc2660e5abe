"""The only way into `observation`: newer wins, what was replaced is kept, and nothing is done twice.

1. Rows (keys and values as codes) of intervals of which their channel has nothing yet are appended as they are.
2. The others are joined once to the rows of their channels and time range: `change`.
3. Rows that are replaced or removed go to `superseded` with the second in which they ended.
4. They are deleted; rows that are new or replace another are appended: to update in place costs twice as much.
5. Rows that are confirmed take the newer revision.

Tables of several channels go this way together: most of what it costs is the same for one of them as for all.
"""

# ruff: noqa: S608 - statements are put together from constants, never from text that came in.

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from store.facts.history import Written
from store.facts.shared.changes import Changes
from store.facts.shared.stamps import CodedStamp

_WITHIN = "channel BETWEEN $first AND $last AND start BETWEEN $low AND $high"
_HELD = f"SELECT DISTINCT channel, start FROM observation WHERE {_WITHIN}"

_CLASSIFY = f"""
CREATE OR REPLACE TEMP TABLE change AS
SELECT i.*, o.* EXCLUDE (channel, measure, region, dimension, start), (CASE
    WHEN value IS NULL THEN CASE WHEN held IS NULL THEN 'absent' ELSE 'removed' END
    WHEN held IS NULL THEN 'new'
    WHEN held_value = value THEN 'confirmed'
    WHEN $forced OR i.revision > held_revision THEN 'changed'
    ELSE 'older' END)::ENUM ('absent', 'removed', 'new', 'confirmed', 'changed', 'older') AS kind
FROM (FROM incoming WHERE overlapping) i LEFT JOIN (
    SELECT rowid AS held, channel, measure, region, dimension, start, value AS held_value, reported AS held_reported,
        revision AS held_revision, received_at AS held_received_at, batch AS held_batch
    FROM observation WHERE {_WITHIN}
) o USING (channel, measure, region, dimension, start)
WHERE held IS NULL OR held_value IS DISTINCT FROM value OR i.revision > held_revision"""

_COUNT = "SELECT channel, kind, count(*), min(start), max(start) FROM change GROUP BY channel, kind"

_INSERT_SUPERSEDED = """
INSERT INTO superseded
SELECT channel, measure, region, dimension, start, held_value, held_reported, held_revision, held_received_at,
    held_batch, received_at
FROM change WHERE kind IN ('changed', 'removed')"""

_DELETE_REPLACED = """
DELETE FROM observation
WHERE start BETWEEN $low AND $high AND rowid IN (SELECT held FROM change WHERE kind IN ('changed', 'removed'))"""

_INSERT = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start, value, reported, greatest(revision, held_revision),
    greatest(received_at, held_received_at), batch
FROM change WHERE kind IN ('new', 'changed')"""

_INSERT_FIRST = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start, value, reported, revision, received_at, batch
FROM incoming WHERE NOT overlapping"""

_UPDATE_CONFIRMED = """
UPDATE observation o SET revision = c.revision, batch = c.batch
FROM change c WHERE o.rowid = c.held AND c.kind = 'confirmed' AND o.start BETWEEN $low AND $high"""

STAMPED = {"channel": np.uint16, "revision": np.int64, "received_at": np.int64, "batch": np.uint32}
"""What a row has from its stamp."""
Parameters = dict[str, int | bool]
"""Parameters of the statements."""


@dataclass(frozen=True)
class Table:
    """A frame of codes (measure, region, dimension, start, value, reported), at least one row, and its stamp."""

    stamp: CodedStamp
    frame: pd.DataFrame


def upsert(cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table], forced: bool = False) -> list[Written]:
    """Merge tables of different channels in the caller's transaction.

    `forced` (sums of the contact ledger) replaces whatever the revision; there a NULL value removes its key.
    """
    starts = [table.frame["start"].to_numpy() for table in tables]
    held = _execute(cursor, _HELD, _bounds(tables, starts)).fetchnumpy()
    overlaps = [_overlaps(table.frame, held["start"][held["channel"] == table.stamp.channel]) for table in tables]
    cursor.register("incoming", _concatenated(tables, overlaps))
    changes = _insert_first(cursor, tables, overlaps)
    if any(overlap.any() for overlap in overlaps):
        overlapping = [table_starts[overlap] for table_starts, overlap in zip(starts, overlaps, strict=True)]
        parameters = _bounds(tables, overlapping) | {"forced": forced}
        for channel, kind, number, first, last in _merge(cursor, parameters):
            changes[channel].add(kind, number, first, last)
    return [_written(table, changes[table.stamp.channel]) for table in tables]


def _written(table: Table, changes: Changes) -> Written:
    """What became of a table: those of its rows that nothing happened to say what is held."""
    unchanged = len(table.frame) - changes.total() + changes.number("confirmed")
    return changes.written(table.stamp.interval_s, unchanged)


def _overlaps(frame: pd.DataFrame, held: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """By row whether there may be something to merge it with: its start is held, or it has no value."""
    found = np.isin(frame["start"].to_numpy(), held)
    overlaps: npt.NDArray[np.bool_] = found | np.isnan(frame["value"].to_numpy())
    return overlaps


def _bounds(tables: Sequence[Table], starts: Sequence[npt.NDArray[np.int64]]) -> Parameters:
    """From the first start and channel to the last, of those tables that have any."""
    edges = [
        int(edge) for table_starts in starts if len(table_starts) for edge in (table_starts.min(), table_starts.max())
    ]
    channels = [table.stamp.channel for table, table_starts in zip(tables, starts, strict=True) if len(table_starts)]
    return {"low": min(edges), "high": max(edges), "first": min(channels), "last": max(channels)}


def _concatenated(tables: Sequence[Table], overlaps: Sequence[npt.NDArray[np.bool_]]) -> pd.DataFrame:
    """The rows of tables as one frame, each with its stamp, and whether its channel has something of its interval."""
    sizes = [len(table.frame) for table in tables]
    columns = {name: np.concatenate([table.frame[name].to_numpy() for table in tables]) for name in tables[0].frame}
    stamps = {
        name: np.repeat(np.array([getattr(table.stamp, name) for table in tables], kind), sizes)
        for name, kind in STAMPED.items()
    }
    return pd.DataFrame({**columns, **stamps, "overlapping": np.concatenate(overlaps)}, copy=False)


def _insert_first(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table], overlaps: Sequence[npt.NDArray[np.bool_]]
) -> dict[int, Changes]:
    """Append rows of intervals of which the channel has nothing yet."""
    changes = {table.stamp.channel: Changes() for table in tables}
    for table, overlap in zip(tables, overlaps, strict=True):
        first = table.frame["start"].to_numpy()[~overlap]
        if len(first):
            changes[table.stamp.channel].add("new", len(first), int(first.min()), int(first.max()))
    if any(counted.total() for counted in changes.values()):
        _execute(cursor, _INSERT_FIRST, {})
    return changes


def _merge(cursor: duckdb.DuckDBPyConnection, parameters: Parameters) -> list[tuple[int, str, int, int, int]]:
    """Merge the rows of intervals of which there is something with it; gives what happened by channel."""
    _execute(cursor, _CLASSIFY, parameters)
    counts = cursor.execute(_COUNT).fetchall()
    kinds = {kind for _, kind, *_ in counts}
    steps = (
        (_INSERT_SUPERSEDED, {"changed", "removed"}),
        (_DELETE_REPLACED, {"changed", "removed"}),
        (_UPDATE_CONFIRMED, {"confirmed"}),
        (_INSERT, {"new", "changed"}),
    )
    for statement, wanted in steps:
        if wanted & kinds:
            _execute(cursor, statement, parameters)
    return counts


def _execute(cursor: duckdb.DuckDBPyConnection, statement: str, parameters: Parameters) -> duckdb.DuckDBPyConnection:
    """Execute with those of the known parameters that the statement names: DuckDB refuses others."""
    return cursor.execute(statement, {name: value for name, value in parameters.items() if f"${name}" in statement})
