"""What is to be done with bodies kept aside: asked for by any process, done by the one that holds the facts.

Doing the same twice changes nothing, so nobody needs to own a request: it is open until somebody has told its outcome.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, and_, insert, select, update

from store.state.opening import reading
from store.state.tables import aside_request as table


class AsideDeed(StrEnum):
    """What can be done with a body that was kept aside."""

    REPLAY = "replay"
    DISCARD = "discard"


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    done: bool
    code: str
    detail: str = ""
    """Code of a fault, or the type of an error."""
    counted: int = 0
    """Observations that count now."""
    rejected: int = 0
    """Records that do not."""


@dataclass(frozen=True)
class AsideRequest:
    """One request, from its asking to its outcome."""

    id: int
    body: str
    deed: AsideDeed
    who: str
    why: str
    asked_at: datetime
    taken_at: datetime | None
    done_at: datetime | None
    outcome: Outcome | None
    """None: it is not done yet."""


class AsideRequests:
    """The requests; each change is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, body: str, deed: AsideDeed, who: str, why: str, at: datetime) -> int:
        """Ask for something to be done with a body that is kept aside; gives the request's number."""
        row = {"body": body, "deed": deed, "who": who, "why": why, "asked_at": at}
        nothing = {"done": False, "outcome": "", "detail": "", "counted": 0, "rejected": 0}
        with self._engine.begin() as connection:
            asked = insert(table).values(**row, **nothing).returning(table.c.id)
            return int(connection.execute(asked).scalar_one())

    def open(self) -> list[AsideRequest]:
        """Requests whose outcome nobody has told, oldest first."""
        query = select(table).where(table.c.done_at.is_(None)).order_by(table.c.id)
        with reading(self._engine) as connection:
            return [_request(row) for row in connection.execute(query).mappings()]

    def of(self, body: str) -> list[AsideRequest]:
        """All that was asked about one body, newest first."""
        query = select(table).where(table.c.body == body).order_by(table.c.id.desc())
        with reading(self._engine) as connection:
            return [_request(row) for row in connection.execute(query).mappings()]

    def find(self, id: int) -> AsideRequest | None:
        """One request; None: there is none of this number, or its body was forgotten."""
        with reading(self._engine) as connection:
            row = connection.execute(select(table).where(table.c.id == id)).mappings().first()
        return None if row is None else _request(row)

    def take(self, id: int, at: datetime) -> None:
        """Say that somebody is at it, so that whoever asked knows that there is somebody."""
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == id).values(taken_at=at))

    def finish(self, id: int, outcome: Outcome, at: datetime) -> bool:
        """Tell the outcome; False: somebody has told it before, and that stays."""
        told = {
            "done_at": at,
            "done": outcome.done,
            "outcome": outcome.code,
            "detail": outcome.detail,
            "counted": outcome.counted,
            "rejected": outcome.rejected,
        }
        wanted = and_(table.c.id == id, table.c.done_at.is_(None))
        with self._engine.begin() as connection:
            return connection.execute(update(table).where(wanted).values(**told)).rowcount == 1


def _request(row: Any) -> AsideRequest:
    outcome = Outcome(row["done"], row["outcome"], row["detail"], row["counted"], row["rejected"])
    return AsideRequest(
        row["id"],
        row["body"],
        AsideDeed(row["deed"]),
        row["who"],
        row["why"],
        row["asked_at"],
        row["taken_at"],
        row["done_at"],
        outcome if row["done_at"] is not None else None,
    )
