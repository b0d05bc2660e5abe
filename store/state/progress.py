"""Where every source stands: its cursor, its last success, since when it fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from metrics.observations import SourceFault
from store.state.opening import reading, upsert
from store.state.tables import cursor, source_status

POLL = "poll"
"""The job that runs all the time; a back-fill has a job of its own, such as `file:<digest>`."""


@dataclass(frozen=True)
class SourceStatus:
    """The health of one source."""

    channel: str
    source: str
    last_success: datetime | None = None
    covered_until: datetime | None = None
    """End of the last interval that a good answer covered."""
    failing_since: datetime | None = None
    error: str = ""
    """`code: detail` of the last failure; '' when it works."""


class Progress:
    """Cursors and the health of sources."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cursor(self, channel: str, source: str, job: str = POLL) -> dict[str, Any]:
        """Where the next reading begins; {} before the first."""
        wanted = (cursor.c.channel == channel) & (cursor.c.source == source) & (cursor.c.job == job)
        with reading(self._engine) as connection:
            found = connection.execute(select(cursor.c.position).where(wanted)).scalar()
        return dict(found or {})

    def keep_cursor(
        self, channel: str, source: str, position: Mapping[str, Any], now: datetime, job: str = POLL
    ) -> None:
        """Move on; call it only after what lies before is stored."""
        row = {"channel": channel, "source": source, "job": job, "position": dict(position), "updated_at": now}
        with self._engine.begin() as connection:
            upsert(connection, cursor, row)

    def succeeded(self, channel: str, source: str, now: datetime, covered_until: datetime) -> SourceStatus:
        """Note a good answer; gives the status before, so that recovery can be told once."""
        before = self.status(channel, source)
        covered = max(covered_until, before.covered_until or covered_until)
        self._put(SourceStatus(channel, source, now, covered))
        return before

    def failed(self, channel: str, source: str, now: datetime, fault: SourceFault | None) -> SourceStatus:
        """Note a failure; gives the status before, so that the loss can be told once."""
        before = self.status(channel, source)
        since = before.failing_since or now
        self._put(
            SourceStatus(channel, source, before.last_success, before.covered_until, since, str(fault or "unknown"))
        )
        return before

    def status(self, channel: str, source: str) -> SourceStatus:
        """One source; one that was never read has no times."""
        return self.sources().get((channel, source), SourceStatus(channel, source))

    def sources(self) -> dict[tuple[str, str], SourceStatus]:
        """Every source that was ever read, by (channel, source)."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(source_status)).mappings().all()
        return {(row["channel"], row["source"]): SourceStatus(**row) for row in rows}

    def _put(self, status: SourceStatus) -> None:
        with self._engine.begin() as connection:
            upsert(connection, source_status, vars(status))
