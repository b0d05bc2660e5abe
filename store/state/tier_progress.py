"""How the tiers of facts stand: how far each is rolled, what was touched since, what has been forgotten.

Every mark carries a token that its last writer chose: who rolled a bucket takes back only the mark that it
saw, so that what was written meanwhile stays marked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Engine, delete, select

from store.state.opening import reading, upsert, upsert_all
from store.state.tables import tier_front, tier_horizon, tier_late


@dataclass(frozen=True)
class Front:
    """How far a tier has come with one channel."""

    rolled: datetime
    """Every bucket before has been rolled, or is marked."""
    proved: datetime
    """Every bucket before was rolled once more after the tier below had closed it."""


@dataclass(frozen=True)
class Horizon:
    """How far back a tier goes."""

    closed: datetime
    """Nothing is written before."""
    forgotten: datetime | None = None
    """What lies before is answered by the tier above."""


@dataclass(frozen=True)
class Mark:
    """A bucket of a tier that has to be rolled again."""

    tier: str
    channel: str
    start: datetime
    token: str


@dataclass(frozen=True)
class TierProgress:
    """All of it at one moment."""

    horizons: Mapping[str, Horizon] = field(default_factory=dict)
    fronts: Mapping[tuple[str, str], Front] = field(default_factory=dict)
    """By (tier, channel)."""
    marks: tuple[Mark, ...] = ()
    """Oldest first."""

    def forgotten(self, tier: str) -> datetime | None:
        """Before when a tier is not asked any more."""
        found = self.horizons.get(tier)
        return found.forgotten if found else None

    def closed(self, tier: str) -> datetime | None:
        """Before when a tier takes nothing any more."""
        found = self.horizons.get(tier)
        return found.closed if found else None


class TierProgressStore:
    """Reads and keeps the standing of the tiers; each call is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> TierProgress:
        """The standing now."""
        with reading(self._engine) as connection:
            horizons = connection.execute(select(tier_horizon)).all()
            fronts = connection.execute(select(tier_front)).all()
            marks = connection.execute(select(tier_late).order_by(tier_late.c.start)).all()
        return TierProgress(
            {row.tier: Horizon(row.closed, row.forgotten) for row in horizons},
            {(row.tier, row.channel): Front(row.rolled, row.proved) for row in fronts},
            tuple(Mark(row.tier, row.channel, row.start, row.token) for row in marks),
        )

    def keep_horizon(self, tier: str, horizon: Horizon) -> None:
        """Move a tier's horizon."""
        with self._engine.begin() as connection:
            upsert(connection, tier_horizon, {"tier": tier, **vars(horizon)})

    def keep_front(self, tier: str, channel: str, front: Front, starts: Iterable[datetime] = ()) -> list[Mark]:
        """Move a front and mark the buckets that it went past, so that a crash before they are rolled loses nothing."""
        marks = [Mark(tier, channel, start, uuid4().hex) for start in starts]
        with self._engine.begin() as connection:
            upsert(connection, tier_front, {"tier": tier, "channel": channel, **vars(front)})
            if marks:
                upsert_all(connection, tier_late, [vars(mark) for mark in marks])
        return marks

    def mark(self, tier: str, channel: str, starts: Iterable[datetime]) -> None:
        """Buckets that have to be rolled again, at least one."""
        marks = [vars(Mark(tier, channel, start, uuid4().hex)) for start in starts]
        with self._engine.begin() as connection:
            upsert_all(connection, tier_late, marks)

    def unmark(self, marks: Iterable[Mark]) -> None:
        """Buckets were rolled; one that was marked again after its mark was read stays marked."""
        with self._engine.begin() as connection:
            connection.execute(delete(tier_late).where(tier_late.c.token.in_([mark.token for mark in marks])))
