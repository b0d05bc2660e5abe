"""What state remembers of a span of the past: which time was covered, since when that is known, what was found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, func, or_, select

from metrics.observations import Interval
from store.state.open_finding import OpenFinding, opened
from store.state.opening import reading
from store.state.recording import RIGHT
from store.state.tables import batch as batch_table
from store.state.tables import finding as table
from store.state.tables import finding_part as part_table

LATELY = timedelta(days=1)
LEAST_S = 900.0
"""Seconds that batches are taken to cover at least: the first push after a start brings hours in one moment."""
Stretches = dict[tuple[str, str], list[tuple[datetime, datetime]]]
"""By (channel, source): starts and ends of time, in order and apart."""


class Past:
    """Questions to the record of batches and findings about time that has passed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def covered(self, interval: Interval, channels: Sequence[str], known_at: datetime | None = None) -> Stretches:
        """The stretches that readable batches whose windows meet an interval cover together.

        `known_at`: only batches that had come by then. Put together by the database, because a week of a nation has
        a hundred thousand batches and hardly a gap.
        """
        own = batch_table.c
        meets = (own.start < interval.end) & (own.end > interval.start) & (own.error == "")
        chosen = and_(meets, own.channel.in_(channels), *([own.fetched_at <= known_at] if known_at else []))
        before = func.max(own.end).over(
            partition_by=[own.channel, own.source], order_by=[own.start, own.end], rows=(None, -1)
        )
        window = select(own.channel, own.source, own.start, own.end, before.label("before")).where(chosen).subquery().c
        begins = func.sum(case((window.before >= window.start, 0), else_=1)).over(
            partition_by=[window.channel, window.source], order_by=[window.start, window.end], rows=(None, 0)
        )
        numbered = select(window.channel, window.source, window.start, window.end, begins.label("number")).subquery().c
        key = (numbered.channel, numbered.source, numbered.number)
        ends = (func.min(numbered.start), func.max(numbered.end))
        query = select(numbered.channel, numbered.source, *ends).group_by(*key).order_by(*key)
        found: Stretches = {}
        with reading(self._engine) as connection:
            for channel, name, start, end in connection.execute(query):
                found.setdefault((channel, name), []).append((start, end))
        return found

    def asked(self) -> dict[tuple[str, str], datetime]:
        """When each (channel, source) was first asked, as far back as batches are remembered now."""
        own = batch_table.c
        query = select(own.channel, own.source, func.min(own.fetched_at)).group_by(own.channel, own.source)
        with reading(self._engine) as connection:
            return {(channel, source): at for channel, source, at in connection.execute(query)}

    def findings(self, interval: Interval, known_at: datetime | None = None) -> list[OpenFinding]:
        """What was found about an interval, without its rows, worst first; each has the time that it is about.

        That is all the time over which stored figures were wrong, and the windows of the batches whose rows were.
        What has neither is about the time in which it was open. What has been seen right since is left out.
        `known_at`: only what was open then.
        """
        own, part = table.c, part_table.c
        figures = part.batch == ""
        start = case((figures, own.interval_start), else_=func.coalesce(part.interval_start, batch_table.c.start))
        end = case((figures, own.interval_end), else_=func.coalesce(part.interval_end, batch_table.c.end))
        about = and_(start < interval.end, or_(end > interval.start, and_(end == start, end == interval.start)))
        life = and_(own.first_seen < interval.end, func.coalesce(own.closed_at, interval.end) >= interval.start)
        summed = (func.min(start), func.max(end), func.sum(part.bad), func.sum(part.expected))
        query = (
            select(table, *(column.label(f"own_{at}") for at, column in enumerate(summed)))
            .join(part_table, part.finding == own.id)
            .outerjoin(batch_table, batch_table.c.id == part.batch)
            .where(or_(about, and_(start.is_(None), life)), _counts(known_at))
            .group_by(own.id)
        )
        with reading(self._engine) as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        found = [_of_span(row, interval) for row in rows]
        return sorted(found, key=lambda finding: (finding.severity, finding.first_seen, finding.id))

    def recorded(self, interval: Interval, channels: Sequence[str]) -> tuple[int, datetime | None]:
        """How many batches about an interval are remembered, and when the newest was stored."""
        own = batch_table.c
        meets = (own.start < interval.end) & (own.end > interval.start) & own.channel.in_(channels)
        with reading(self._engine) as connection:
            number, newest = connection.execute(select(func.count(), func.max(own.stored_at)).where(meets)).one()
        return number, newest

    def rows_a_second(self, channels: Sequence[str], now: datetime) -> float:
        """How many rows the batches of some channels have brought lately, a second of the time that they cover."""
        own = batch_table.c
        chosen = (own.fetched_at >= now - LATELY) & own.channel.in_(channels) & (own.error == "")
        query = select(own.channel, own.source, func.sum(own.rows), func.min(own.start), func.max(own.end))
        with reading(self._engine) as connection:
            told = connection.execute(query.where(chosen).group_by(own.channel, own.source)).all()
        return sum((int(rows) / max((end - start).total_seconds(), LEAST_S) for _, _, rows, start, end in told), 0.0)


def _counts(known_at: datetime | None) -> ColumnElement[bool]:
    """What still stands, or stood at an instant."""
    if known_at is None:
        return part_table.c.ended != RIGHT
    return and_(table.c.first_seen <= known_at, or_(table.c.closed_at.is_(None), table.c.closed_at > known_at))


def _of_span(row: dict[str, Any], interval: Interval) -> OpenFinding:
    start, end, bad, expected = (row.pop(f"own_{at}") for at in range(4))
    head = opened(row)
    life = (head.first_seen, head.closed_at or max(interval.end, head.first_seen))
    return replace(head, start=start or life[0], end=end or life[1], bad=int(bad), expected=int(expected), rows=())
