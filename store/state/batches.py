"""What was harvested, when, from which bytes, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, Select, delete, func, select

from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval
from store.state.opening import reading, upsert_all
from store.state.tables import batch as table

FIRST_ROWS = 20
"""Rows kept in a batch's record of what one rule found wrong; all of them are in the finding."""


class RowCheck(NamedTuple):
    """What one rule showed of the rows of a batch when it came."""

    rule: str
    measure: str
    """Column of the source's rows; '' for records that were refused."""
    state: str
    bad: int
    expected: int
    code: str
    """Of refused records: the first reason."""
    rows: Sequence[Mapping[str, str | float | int | None]]

    @classmethod
    def of(cls, finding: Finding) -> "RowCheck":
        """What a finding about a batch's rows comes to."""
        code = str(finding.facts.get("code", ""))
        shown = finding.rows[:FIRST_ROWS]
        return cls(finding.rule, finding.measure, finding.state, finding.bad, finding.expected, code, shown)


@dataclass(frozen=True)
class BatchRecord:
    """One harvest as it is remembered; the tables themselves are in the history."""

    id: str
    channel: str
    source: str
    start: datetime
    end: datetime
    fetched_at: datetime
    digest: str
    revision: int
    read: int
    rows: int
    rejects: int
    excluded: dict[str, int]
    figures: bool
    """Whether it brought figures, which tell all of its window and whose newer revision counts; contacts add up."""
    wrong: int
    """Rows that are refused or not as expected."""
    row_checks: tuple[RowCheck, ...]
    error: str
    """Code of the fault; '' when it could be read."""
    detail: str
    payload: str
    stored_at: datetime

    @classmethod
    def of(cls, batch: Batch, payload: str, of_rows: Sequence[Finding], stored_at: datetime) -> "BatchRecord":
        """The record of a batch whose payload was kept under a path ('' if it was not), with what its rows showed."""
        parsed, error = batch.parsed, batch.error
        tables = () if parsed is None else (parsed.observations, parsed.contributions)
        return cls(
            id=batch.id,
            channel=batch.channel,
            source=batch.source,
            start=batch.window.start,
            end=batch.window.end,
            fetched_at=batch.fetched_at,
            digest=batch.digest,
            revision=batch.revision,
            read=0 if parsed is None else parsed.read,
            rows=sum(len(table) for table in tables if table is not None),
            rejects=0 if parsed is None else parsed.refused,
            excluded={} if parsed is None else dict(parsed.excluded),
            figures=parsed is not None and parsed.observations is not None,
            wrong=sum(finding.bad for finding in of_rows),
            row_checks=tuple(RowCheck.of(finding) for finding in of_rows if finding.state is not CheckState.NA),
            error="" if error is None else error.code,
            detail="" if error is None else error.detail,
            payload=payload,
            stored_at=stored_at,
        )


Kept = tuple[Batch, str, Sequence[Finding]]
"""A batch, the path of its payload, and what its rows showed."""


class Batches:
    """The list of harvests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._first: dict[tuple[str, str], datetime] | None = None

    def keep(self, batch: Batch, payload: str, stored_at: datetime, of_rows: Sequence[Finding] = ()) -> BatchRecord:
        """Remember a batch; the same one again replaces its record."""
        return self.keep_all([(batch, payload, of_rows)], stored_at)[0]

    def keep_all(self, batches: Sequence[Kept], stored_at: datetime) -> list[BatchRecord]:
        """Remember batches, in one transaction."""
        records = [BatchRecord.of(batch, payload, of_rows, stored_at) for batch, payload, of_rows in batches]
        if records:
            with self._engine.begin() as connection:
                upsert_all(connection, table, [vars(record) for record in records])
        if self._first is not None:
            for record in records:
                self._first.setdefault((record.channel, record.source), record.fetched_at)
        return records

    def seen(self, batch_id: str) -> bool:
        """Whether a batch was stored without an error before."""
        wanted = (table.c.id == batch_id) & (table.c.error == "")
        with reading(self._engine) as connection:
            return connection.execute(select(table.c.id).where(wanted)).first() is not None

    def find(self, batch_id: str) -> BatchRecord | None:
        """The record of one batch; None: there is none, or none any more."""
        with reading(self._engine) as connection:
            row = connection.execute(select(table).where(table.c.id == batch_id)).mappings().first()
        return None if row is None else _record(row)

    def recent(
        self,
        channel: str | None = None,
        source: str | None = None,
        fetched: Interval | None = None,
        limit: int = 100,
    ) -> list[BatchRecord]:
        """Batches, newest first."""
        query = select(table).order_by(table.c.fetched_at.desc(), table.c.id).limit(limit)
        if channel is not None:
            query = query.where(table.c.channel == channel)
        if source is not None:
            query = query.where(table.c.source == source)
        if fetched is not None:
            query = query.where(table.c.fetched_at >= fetched.start, table.c.fetched_at < fetched.end)
        return self._read(query)

    def covering(self, interval: Interval, channels: Sequence[str] = ()) -> list[BatchRecord]:
        """Batches whose window meets an interval, failed ones too, oldest first; no channels: all."""
        return self._read(_meeting(interval, channels).order_by(table.c.fetched_at, table.c.id))

    def replaced_beside(self, records: Sequence[BatchRecord]) -> frozenset[str]:
        """Ids of the batches with wrong rows, these and those that they meet, whose records came again in a newer one.

        Asked after batches are kept: nearly always there is none, and one look tells.
        """
        if not records:
            return frozenset()
        hull = Interval(min(record.start for record in records), max(record.end for record in records))
        channels = sorted({record.channel for record in records})
        wrong = self._read(_meeting(hull, channels).where(table.c.wrong > 0))
        if not wrong:
            return frozenset()
        around = Interval(min(record.start for record in wrong), max(record.end for record in wrong))
        return replaced(self.covering(around, channels))

    def first_asked(self) -> dict[tuple[str, str], datetime]:
        """When each (channel, source) was first asked, as far back as batches are remembered."""
        if self._first is None:
            query = select(table.c.channel, table.c.source, func.min(table.c.fetched_at))
            with reading(self._engine) as connection:
                rows = connection.execute(query.group_by(table.c.channel, table.c.source)).all()
            self._first = {(channel, source): at for channel, source, at in rows}
        return dict(self._first)

    def forget(self, before: datetime) -> int:
        """Delete the records of batches fetched before an instant; gives their number."""
        with self._engine.begin() as connection:
            return connection.execute(delete(table).where(table.c.fetched_at < before)).rowcount

    def _read(self, query: Select[Any]) -> list[BatchRecord]:
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(query).mappings()]


def replaced(records: Iterable[BatchRecord]) -> frozenset[str]:
    """Ids of the batches with wrong rows whose records came again in a newer one of the same source.

    That is one of figures that was taken, whose window holds theirs and that brought no fewer records. A part of what
    was sent, sent again, is not enough: nobody knows which records it leaves out.
    """
    by_source: dict[tuple[str, str], list[BatchRecord]] = defaultdict(list)
    for record in records:
        by_source[record.channel, record.source].append(record)
    return frozenset(id for own in by_source.values() for id in _replaced_in(own))


def _replaced_in(records: Sequence[BatchRecord]) -> Iterator[str]:
    newer = [record for record in records if record.figures and not record.error]
    start, end = (np.array([getattr(one, name).timestamp() for one in newer]) for name in ("start", "end"))
    revision, read = (np.array([getattr(one, name) for one in newer], np.int64) for name in ("revision", "read"))
    for older in records:
        if older.wrong and older.start < older.end:  # the window of a batch without any figure says nothing
            holds = (start <= older.start.timestamp()) & (end >= older.end.timestamp())
            if (holds & (revision > older.revision) & (read >= older.read)).any():
                yield older.id


def _meeting(interval: Interval, channels: Sequence[str]) -> Select[Any]:
    """The batches of some channels (none: all) whose window meets an interval."""
    start, end = table.c.start, table.c.end
    meets = (start < interval.end) & ((end > interval.start) | ((end == start) & (end == interval.start)))
    query = select(table).where(meets)
    return query.where(table.c.channel.in_(channels)) if channels else query


def _record(row: Mapping[Any, Any]) -> BatchRecord:
    return BatchRecord(**{**row, "row_checks": tuple(RowCheck(*check) for check in row["row_checks"])})
