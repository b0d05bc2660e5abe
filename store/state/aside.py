"""Pushed bodies that were not counted, with their bytes, until somebody has them counted or throws them away.

The bytes are here and not among the payloads: what was answered 202 is then as safe as all other state (a standby has
it too), can be read by every process that shares the state, and no housekeeping of days takes it.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, delete, func, select, update

from metrics.observations import Interval
from store.state.opening import INSERTS, reading
from store.state.tables import aside_body as table
from store.state.tables import aside_bytes as bytes_table
from store.state.tables import batch as batch_table
from store.state.users import Deed, add_deed

AT_ONCE = 1000
"""Names in one question."""
SHOWN = 100
"""Bodies of one source that a finding names; it counts them all."""


class AsideKind(StrEnum):
    """Why a body was not counted."""

    REFUSED = "refused"
    """The push endpoint did not take it: its sender was told, and nothing was promised."""
    GIVEN_UP = "given_up"
    """It was answered 202, and cannot be counted: the reason is a fault of it, or a bug that each of its tries met."""
    CHANNEL_GONE = "channel_gone"
    """It was answered 202, and the catalogue does not have its source any more."""


ACCEPTED = (AsideKind.GIVEN_UP, AsideKind.CHANNEL_GONE)
"""Kinds of bodies that were answered 202."""


class AsideState(StrEnum):
    """What became of a body that was kept aside."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class AsideBody:
    """What is known of a body that was kept aside; its bytes are asked for apart."""

    id: str
    kind: AsideKind
    channel: str
    source: str
    """The source that sent it, also one that the catalogue does not have any more."""
    batch: str
    """The name that its sender was told; of a refused body the batch that its records are kept under."""
    sender_key: str
    """The sender's idempotency key; '' for a refused body."""
    received_at: datetime
    kept_at: datetime
    size: int
    digest: str
    reason: str
    """Code of the fault, or the type of the error that its last try ended with."""
    state: AsideState = AsideState.WAITING
    who: str = ""
    why: str = ""
    settled_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was answered 202."""
        return self.kind in ACCEPTED


@dataclass(frozen=True)
class Decision:
    """Who settles what becomes of a body, why, and when."""

    who: str
    why: str
    at: datetime


@dataclass(frozen=True)
class AcceptedAside:
    """The accepted bodies of one source that were kept aside."""

    channel: str
    source: str
    waiting: int
    replayed: int
    discarded: int
    first: datetime | None
    """When the oldest that waits was received; None: none waits."""
    last: datetime | None


class AsideBodies:
    """Bodies that were kept aside; each change is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, body: AsideBody, data: bytes) -> bool:
        """Keep a body and its bytes; one that is here already stays as it is. Gives whether it is new."""
        insert = INSERTS[self._engine.dialect.name]
        with self._engine.begin() as connection:
            entered = insert(table).values(**vars(body)).on_conflict_do_nothing().returning(table.c.id)
            new = connection.execute(entered).first() is not None
            if new:
                row = {"body": body.id, "data": zlib.compress(data, level=3)}
                connection.execute(bytes_table.insert().values(**row))
        return new

    def find(self, id: str) -> AsideBody | None:
        """What is known of one body."""
        with reading(self._engine) as connection:
            row = connection.execute(select(table).where(table.c.id == id)).mappings().first()
        return None if row is None else _body(row)

    def data(self, id: str) -> bytes | None:
        """The bytes of a body; None once it is settled; raises ValueError when they are not those any more."""
        query = select(bytes_table.c.data, table.c.digest).join(table).where(table.c.id == id)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        data = zlib.decompress(row.data)
        if hashlib.sha256(data).hexdigest() != row.digest:
            raise ValueError(f"the bytes of {id} were changed since they were kept aside")
        return data

    def newest(
        self,
        limit: int,
        channel: str | None = None,
        received: Interval | None = None,
        kinds: Sequence[AsideKind] = tuple(AsideKind),
    ) -> list[AsideBody]:
        """Bodies, newest first, settled ones too."""
        query = select(table).where(table.c.kind.in_(kinds)).order_by(table.c.received_at.desc(), table.c.id)
        if channel is not None:
            query = query.where(table.c.channel == channel)
        if received is not None:
            query = query.where(table.c.received_at >= received.start, table.c.received_at < received.end)
        with reading(self._engine) as connection:
            return [_body(row) for row in connection.execute(query.limit(limit)).mappings()]

    def refused(self, batches: Sequence[str]) -> set[str]:
        """Those of some batches that are refused bodies which are kept here."""
        found: set[str] = set()
        with reading(self._engine) as connection:
            for at in range(0, len(batches), AT_ONCE):
                wanted = and_(table.c.kind == AsideKind.REFUSED, table.c.batch.in_(batches[at : at + AT_ONCE]))
                found |= set(connection.execute(select(table.c.batch).where(wanted)).scalars())
        return found

    def accepted(self) -> list[AcceptedAside]:
        """What became of accepted bodies, by channel and source."""
        received = case((table.c.state == AsideState.WAITING, table.c.received_at))
        query = (
            select(
                table.c.channel,
                table.c.source,
                _number(AsideState.WAITING),
                _number(AsideState.REPLAYED),
                _number(AsideState.DISCARDED),
                func.min(received),
                func.max(received),
            )
            .where(table.c.kind.in_(ACCEPTED))
            .group_by(table.c.channel, table.c.source)
            .order_by(table.c.channel, table.c.source)
        )
        with reading(self._engine) as connection:
            return [AcceptedAside(*row) for row in connection.execute(query)]

    def waiting(self, channel: str, source: str, limit: int = SHOWN) -> list[AsideBody]:
        """Accepted bodies of one source that nobody has settled yet, newest first."""
        wanted = and_(
            table.c.channel == channel,
            table.c.source == source,
            table.c.state == AsideState.WAITING,
            table.c.kind.in_(ACCEPTED),
        )
        query = select(table).where(wanted).order_by(table.c.received_at.desc(), table.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [_body(row) for row in connection.execute(query).mappings()]

    def counted(self, channel: str, source: str, since: datetime) -> int:
        """Batches of a source that were counted since an instant, as far back as batches are remembered."""
        own = batch_table.c
        wanted = and_(own.channel == channel, own.source == source, own.fetched_at >= since, own.error == "")
        with reading(self._engine) as connection:
            return int(connection.execute(select(func.count()).where(wanted)).scalar_one())

    def settle(self, id: str, state: AsideState, decision: Decision) -> bool:
        """Say what became of a body, let its bytes go and note the deed; False: somebody has settled it before."""
        wanted = and_(table.c.id == id, table.c.state == AsideState.WAITING)
        change = {"state": state, "who": decision.who, "why": decision.why, "settled_at": decision.at}
        with self._engine.begin() as connection:
            told = update(table).where(wanted).values(**change).returning(table.c.channel, table.c.batch)
            row = connection.execute(told).first()
            if row is None:
                return False
            connection.execute(delete(bytes_table).where(bytes_table.c.body == id))
            _note(connection, f"aside_{state}", decision, f"{id} of {row.channel}, batch {row.batch}")
        return True

    def forget(self, before: datetime) -> int:
        """Delete refused bodies received before an instant that nobody has settled; gives their number.

        Accepted bodies stay until somebody settles them: they were promised to be counted.
        """
        old = and_(
            table.c.kind == AsideKind.REFUSED,
            table.c.state == AsideState.WAITING,
            table.c.received_at < before,
        )
        with self._engine.begin() as connection:
            return connection.execute(delete(table).where(old)).rowcount


def _number(state: AsideState) -> ColumnElement[int]:
    return func.sum(case((table.c.state == state, 1), else_=0))


def _note(connection: Connection, what: str, decision: Decision, about: str) -> None:
    add_deed(connection, Deed(decision.at, decision.who, what, f"{about}: {decision.why}"))


def _body(row: Any) -> AsideBody:
    return AsideBody(**{**row, "kind": AsideKind(row["kind"]), "state": AsideState(row["state"])})
