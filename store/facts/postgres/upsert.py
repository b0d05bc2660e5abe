"""The only way into `observation`: newer wins, what was replaced is kept, and nothing is done twice.

1. The channel is locked: two writers of one channel take turns, those of different channels do not meet.
2. Rows of starts that the channel has never had are new: they are copied straight into the table, which takes a
   third of the time that the comparison and an INSERT would.
3. The others are staged in `incoming`, a day at a time, and joined to the rows of the day's partition: starts that the
   batch brings most of again by reading them whole, the others by looking up each key, so that a few late rows cost
   the same however much is held. Replaced and removed rows go to `superseded`; each kind of change is one part
   of the same statement.
"""

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import pandas as pd

from store.facts.history import Written
from store.facts.postgres.binary import Values
from store.facts.postgres.partitions import DAY_S, partition_of
from store.facts.postgres.schema import FACT
from store.facts.postgres.sessions import Session
from store.facts.shared.changes import Changes
from store.facts.shared.stamps import CodedStamp

INCOMING = {name: FACT[name] for name in ("start", "value", "dimension", "measure", "region", "reported")}

_HELD = """
SELECT start FROM unnest($1::int8[]) AS start
WHERE EXISTS (SELECT FROM observation o WHERE o.start = start.start AND o.channel = $2)"""

_MERGE = """
WITH change AS MATERIALIZED (
    SELECT i.*, o.ctid AS held, CASE
        WHEN o.revision IS NULL THEN CASE WHEN i.value = 'NaN' THEN 'nothing' ELSE 'new' END
        WHEN i.value = 'NaN' THEN 'removed'
        WHEN {revision} <= o.revision AND NOT {forced} THEN CASE WHEN o.value = i.value THEN 'same' ELSE 'older' END
        WHEN o.value <> i.value THEN 'changed'
        WHEN {revision} > o.revision THEN 'confirmed'
        ELSE 'same' END AS kind
    FROM incoming i LEFT JOIN {part} o ON o.start = i.start AND {within} AND o.channel = {channel}
        AND o.measure = i.measure AND o.region = i.region AND o.dimension = i.dimension
), kept AS (
    INSERT INTO superseded ({columns}, superseded_at)
    SELECT {all}, {received_at} FROM {part} o JOIN change c ON o.ctid = c.held WHERE c.kind IN ('changed', 'removed')
), replaced AS (
    UPDATE {part} o SET value = c.value, reported = c.reported, batch = {batch},
        revision = greatest({revision}, o.revision),
        received_at = CASE c.kind WHEN 'changed' THEN greatest({received_at}, o.received_at) ELSE o.received_at END
    FROM change c WHERE o.ctid = c.held AND c.kind IN ('changed', 'confirmed')
), removed AS (
    DELETE FROM {part} o USING change c WHERE o.ctid = c.held AND c.kind = 'removed'
), appended AS (
    INSERT INTO {part} ({columns})
    SELECT start, value, {revision}, {received_at}, dimension, {batch}, {channel}, measure, region, reported
    FROM change WHERE kind = 'new'
)
SELECT kind, count(*), min(start), max(start) FROM change WHERE kind <> 'nothing' GROUP BY kind"""

_JOIN = "SELECT set_config('enable_hashjoin', $1, true), set_config('enable_mergejoin', 'off', true)"
"""Of a partition that grows by the minute the planner has no figures: how to join is set here."""

DENSE = 1000
"""Rows a start from which reading its rows beats looking them up; a nation's channel has 16,000."""


def lock_channel(session: Session, channel: int) -> None:
    """Wait until no other transaction writes this channel, and keep others waiting until this one ends."""
    session.connection.execute(
        "SELECT pg_advisory_xact_lock(('observation'::regclass::oid::int8 << 16) + $1)", [channel]
    )


def upsert(session: Session, stamp: CodedStamp, frame: pd.DataFrame, forced: bool = False) -> Written:
    """Merge a frame of codes in the caller's transaction, which has locked the channel.

    `forced` (sums of the contact ledger) replaces whatever the revision; there a NaN removes its key.
    """
    starts = frame["start"].unique()
    session.connection.execute(_JOIN, ["off"])
    held = session.connection.execute(_HELD, [starts.tolist(), stamp.channel]).fetchall()
    known = frame["start"].isin([start for (start,) in held])
    changes = Changes()
    for day, fresh in _by_day(frame[~known & frame["value"].notna()]):
        session.send(partition_of("observation", day), FACT, _facts(fresh, stamp), len(fresh))
        changes.add("new", len(fresh), int(fresh["start"].min()), int(fresh["start"].max()))
    for day, rows in _by_day(frame[known]):
        for dense, part in _by_density(rows):
            _merge(session, stamp, day, part, dense, forced, changes)
    return changes.written(stamp.interval_s, changes.number("same", "confirmed"))


def _by_day(frame: pd.DataFrame) -> Iterable[tuple[int, pd.DataFrame]]:
    """The rows that belong to one partition each."""
    days = frame["start"] // DAY_S
    return ((day, frame[days == day]) for day in days.unique())


def _by_density(frame: pd.DataFrame) -> Iterable[tuple[bool, pd.DataFrame]]:
    """The rows of starts that are brought again almost whole, and those of starts that are mended here and there."""
    dense = frame.groupby("start")["start"].transform("size") >= DENSE
    return ((bool(is_dense), frame[dense == is_dense]) for is_dense in dense.unique())


def _facts(frame: pd.DataFrame, stamp: CodedStamp) -> Values:
    """Every column of new rows, in the order of the primary key: its pages are filled one after another."""
    order = np.lexsort([frame[name] for name in ("dimension", "region", "measure", "start")])
    parameters = {"channel": stamp.channel, "batch": stamp.batch}
    parameters |= {"revision": stamp.revision, "received_at": stamp.received_at}
    return {**{name: frame[name].to_numpy()[order] for name in INCOMING}, **parameters}


def _merge(
    session: Session, stamp: CodedStamp, day: int, frame: pd.DataFrame, dense: bool, forced: bool, changes: Changes
) -> None:
    """Compare rows of one day with those that are held, and do and count what the comparison says."""
    starts = ", ".join(map(str, frame["start"].unique()))
    session.connection.execute(_JOIN, ["on" if dense else "off"])
    # To delete from a table that is staged in again and again would leave all that was there to be read past.
    session.connection.execute("TRUNCATE incoming")
    session.send("incoming", INCOMING, {name: frame[name].to_numpy() for name in INCOMING}, len(frame))
    parameters = {
        **{name: str(value) for name, value in asdict(stamp).items()},
        "part": partition_of("observation", day),
        "forced": str(forced),
        "within": f"o.start IN ({starts})" if dense else "TRUE",
        "columns": ", ".join(FACT),
        "all": ", ".join(f"o.{name}" for name in FACT),
    }
    for kind, number, first, last in session.connection.execute(_MERGE.format(**parameters)).fetchall():
        changes.add(kind, number, first, last)
