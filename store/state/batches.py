"""What was harvested, when, from which bytes, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, select

from metrics.observations import Batch, Interval
from store.state.opening import reading, upsert_all
from store.state.tables import batch as table


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
    error: str
    """Code of the fault; '' when it could be read."""
    detail: str
    payload: str
    stored_at: datetime

    @classmethod
    def of(cls, batch: Batch, payload: str, stored_at: datetime) -> "BatchRecord":
        """The record of a batch whose payload was kept under a path ('' if it was not)."""
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
            rejects=0 if parsed is None else len(parsed.rejects),
            excluded={} if parsed is None else dict(parsed.excluded),
            error="" if error is None else error.code,
            detail="" if error is None else error.detail,
            payload=payload,
            stored_at=stored_at,
        )


class Batches:
    """The list of harvests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._first: dict[tuple[str, str], datetime] | None = None

    def keep(self, batch: Batch, payload: str, stored_at: datetime) -> BatchRecord:
        """Remember a batch; the same one again replaces its record."""
        return self.keep_all([(batch, payload)], stored_at)[0]

    def keep_all(self, batches: Sequence[tuple[Batch, str]], stored_at: datetime) -> list[BatchRecord]:
        """Remember batches, each with the path of its payload, in one transaction."""
        records = [BatchRecord.of(batch, payload, stored_at) for batch, payload in batches]
        if records:
            with self._engine.begin() as connection:
                upsert_all(connection, table, [vars(record) for record in records])
        if self._first is not None:
            for batch, _ in batches:
                self._first.setdefault((batch.channel, batch.source), batch.fetched_at)
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
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def covering(self, interval: Interval, channels: Sequence[str] = ()) -> list[BatchRecord]:
        """Batches whose window meets an interval, failed ones too, oldest first; no channels: all."""
        start, end = table.c.start, table.c.end
        meets = (start < interval.end) & ((end > interval.start) | ((end == start) & (end == interval.start)))
        query = select(table).where(meets).order_by(table.c.fetched_at, table.c.id)
        if channels:
            query = query.where(table.c.channel.in_(channels))
        with reading(self._engine) as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

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


def _record(row: Any) -> BatchRecord:
    return BatchRecord(**row)
