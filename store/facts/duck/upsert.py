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
    ELSE 'older' END)::ENUM ('absent', 'removed', 'new', 'confirmed', 'changed', 'older') AS what
FROM (FROM incoming WHERE again) i LEFT JOIN (
    SELECT rowid AS held, channel, measure, region, dimension, start, value AS held_value, reported AS held_reported,
        revision AS held_revision, received_at AS held_received_at, batch AS held_batch
    FROM observation WHERE {_WITHIN}
) o USING (channel, measure, region, dimension, start)
WHERE held IS NULL OR held_value IS DISTINCT FROM value OR i.revision > held_revision"""

_COUNT = "SELECT channel, what, count(*), min(start), max(start) FROM change GROUP BY channel, what"

_KEEP = """
INSERT INTO superseded
SELECT channel, measure, region, dimension, start, held_value, held_reported, held_revision, held_received_at,
    held_batch, received_at
FROM change WHERE what IN ('changed', 'removed')"""

_TAKE_OUT = """
DELETE FROM observation
WHERE start BETWEEN $low AND $high AND rowid IN (SELECT held FROM change WHERE what IN ('changed', 'removed'))"""

_APPEND = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start, value, reported, greatest(revision, held_revision),
    greatest(received_at, held_received_at), batch
FROM change WHERE what IN ('new', 'changed')"""

_APPEND_FIRST = """
INSERT INTO observation
SELECT channel, measure, region, dimension, start, value, reported, revision, received_at, batch
FROM incoming WHERE NOT again"""

_CONFIRM = """
UPDATE observation o SET revision = c.revision, batch = c.batch
FROM change c WHERE o.rowid = c.held AND c.what = 'confirmed' AND o.start BETWEEN $low AND $high"""

STAMPED = {"channel": np.uint16, "revision": np.int64, "received_at": np.int64, "batch": np.uint32}
"""What a row has from its stamp."""
Known = dict[str, int | bool]
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
    starts = [one.frame["start"].to_numpy() for one in tables]
    held = _run(cursor, _HELD, _range(tables, starts)).fetchnumpy()
    again = [_again(one.frame, held["start"][held["channel"] == one.stamp.channel]) for one in tables]
    cursor.register("incoming", _together(tables, again))
    changes = _append_first(cursor, tables, again)
    if any(old.any() for old in again):
        known = _range(tables, [own[old] for own, old in zip(starts, again, strict=True)]) | {"forced": forced}
        for channel, what, number, first, last in _merge(cursor, known):
            changes[channel].add(what, number, first, last)
    return [_written(one, changes[one.stamp.channel]) for one in tables]


def _written(table: Table, changes: Changes) -> Written:
    """What became of a table: those of its rows that nothing happened to say what is held."""
    unchanged = len(table.frame) - changes.total() + changes.number("confirmed")
    return changes.written(table.stamp.interval_s, unchanged)


def _again(frame: pd.DataFrame, held: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """By row whether there may be something to merge it with: its start is held, or it has no value."""
    found = np.isin(frame["start"].to_numpy(), held)
    again: npt.NDArray[np.bool_] = found | np.isnan(frame["value"].to_numpy())
    return again


def _range(tables: Sequence[Table], starts: Sequence[npt.NDArray[np.int64]]) -> Known:
    """From the first start and channel to the last, of those tables that have any."""
    edges = [int(edge) for own in starts if len(own) for edge in (own.min(), own.max())]
    channels = [one.stamp.channel for one, own in zip(tables, starts, strict=True) if len(own)]
    return {"low": min(edges), "high": max(edges), "first": min(channels), "last": max(channels)}


def _together(tables: Sequence[Table], again: Sequence[npt.NDArray[np.bool_]]) -> pd.DataFrame:
    """The rows of tables as one frame, each with its stamp, and whether its channel has something of its interval."""
    sizes = [len(one.frame) for one in tables]
    columns = {name: np.concatenate([one.frame[name].to_numpy() for one in tables]) for name in tables[0].frame}
    stamps = {
        name: np.repeat(np.array([getattr(one.stamp, name) for one in tables], kind), sizes)
        for name, kind in STAMPED.items()
    }
    return pd.DataFrame({**columns, **stamps, "again": np.concatenate(again)}, copy=False)


def _append_first(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[Table], again: Sequence[npt.NDArray[np.bool_]]
) -> dict[int, Changes]:
    """Append rows of intervals of which the channel has nothing yet."""
    changes = {one.stamp.channel: Changes() for one in tables}
    for one, old in zip(tables, again, strict=True):
        first = one.frame["start"].to_numpy()[~old]
        if len(first):
            changes[one.stamp.channel].add("new", len(first), int(first.min()), int(first.max()))
    if any(one.total() for one in changes.values()):
        _run(cursor, _APPEND_FIRST, {})
    return changes


def _merge(cursor: duckdb.DuckDBPyConnection, known: Known) -> list[tuple[int, str, int, int, int]]:
    """Merge the rows of intervals of which there is something with it; gives what happened by channel."""
    _run(cursor, _CLASSIFY, known)
    counts = cursor.execute(_COUNT).fetchall()
    happened = {what for _, what, *_ in counts}
    steps = (
        (_KEEP, {"changed", "removed"}),
        (_TAKE_OUT, {"changed", "removed"}),
        (_CONFIRM, {"confirmed"}),
        (_APPEND, {"new", "changed"}),
    )
    for statement, wanted in steps:
        if wanted & happened:
            _run(cursor, statement, known)
    return counts


def _run(cursor: duckdb.DuckDBPyConnection, statement: str, known: Known) -> duckdb.DuckDBPyConnection:
    """Execute with those of the known parameters that the statement names: DuckDB refuses others."""
    return cursor.execute(statement, {name: value for name, value in known.items() if f"${name}" in statement})
