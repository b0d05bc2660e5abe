"""Where every source stands: its cursor, its last success, since when it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from store.state.opening import reading, upsert, upsert_all
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


@dataclass(frozen=True)
class Outcome:
    """How one reading of a source ended."""

    channel: str
    source: str
    covered_until: datetime | None = None
    """End of what a good answer covered; None: the source is not read up to anywhere by it."""
    error: str = ""
    """`code: detail` of what failed; '' when it worked."""

    def after(self, before: SourceStatus, now: datetime) -> SourceStatus:
        """The status that follows; the same object where it stays as it was."""
        if self.error:
            return replace(before, failing_since=before.failing_since or now, error=self.error)
        if self.covered_until is None:
            return before
        covered = max(self.covered_until, before.covered_until or self.covered_until)
        return SourceStatus(self.channel, self.source, now, covered)


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

    def note(self, outcomes: Sequence[Outcome], now: datetime) -> list[SourceStatus]:
        """Note how readings ended, one after another, in one transaction; gives the status before each.

        So a loss and a recovery can each be told once.
        """
        before: list[SourceStatus] = []
        changed: dict[tuple[str, str], SourceStatus] = {}
        with self._engine.begin() as connection:
            known = _sources(connection)
            for outcome in outcomes:
                key = outcome.channel, outcome.source
                before.append(known.get(key, SourceStatus(*key)))
                known[key] = outcome.after(before[-1], now)
                if known[key] is not before[-1]:
                    changed[key] = known[key]
            if changed:  # in one order for all, so that two who write at once wait for each other, and not both
                upsert_all(connection, source_status, [vars(changed[key]) for key in sorted(changed)])
        return before

    def sources(self) -> dict[tuple[str, str], SourceStatus]:
        """Every source that was ever read, by (channel, source)."""
        with reading(self._engine) as connection:
            return _sources(connection)


def _sources(connection: Connection) -> dict[tuple[str, str], SourceStatus]:
    rows = connection.execute(select(source_status)).mappings().all()
    return {(row["channel"], row["source"]): SourceStatus(**row) for row in rows}
