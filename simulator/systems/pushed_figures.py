"""What the app and the shops push: the figures of their minutes, and again what has changed in them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from metrics.observations import decode_dimensions
from simulator.contacts import Contact
from simulator.ledger import MINUTE, Ledger, Restated, Row, minute_of
from simulator.measures import PATH
from simulator.rhythm import local
from simulator.troubles import MISSING, Behaviour, Trouble

ROWS = 4000
"""A body is full with this many observations; it never breaks off within a minute."""
TOTALS_OFF = 0.1
"""By what part of themselves a system with wrong sums makes its totals too large; by two at least."""
APP = {"contacts": PATH, "repeats_24h": (), "served_without_agent": ()}
SHOPS: dict[str, tuple[str, ...]] = {"contacts": PATH} | dict.fromkeys(
    (
        "repeats_24h", "served_without_agent", "manual_requests", "offered", "answered", "answered_15s", "answered_20s",
        "abandoned", "abandoned_20s", "short_abandoned", "flowed_out", "waiting", "wait_answered_s", "handled",
        "talk_s", "hold_s", "acw_s", "transferred", "resolvable", "resolved_first", "votes", "votes_4_5", "complaints",
    ),
    (),
)  # fmt: skip


@dataclass(frozen=True)
class Body:
    """One push: its idempotency key and its bytes."""

    key: str
    data: bytes


class PushedFigures:
    """What one channel has to push: its figures, and for some measures the totals of provinces beside the cities."""

    def __init__(self, channel: str, behaviour: Behaviour, told: Restated, totals: Restated | None) -> None:
        self.channel, self.behaviour = channel, behaviour
        self._told, self._totals = told, totals
        self._dirty: set[int] = set()
        self._ended: int | None = None
        self._sequence = 0

    def note(self, contact: Contact, now: int) -> None:
        """Listen to the world: the contact's minute has to be told (again)."""
        if contact.channel == self.channel:
            self._dirty |= {minute_of(told) for told in self.behaviour.as_told(contact)}

    def bodies(self, now: int) -> list[Body]:
        """What has changed in the minutes that are over; nothing while the system is down."""
        ended = now - self.behaviour.delay()
        if self._told.tells_zeros:
            self._dirty |= self._ended_since(now - now % MINUTE)
        due = sorted(minute for minute in self._dirty if minute + MINUTE <= ended)
        if self.behaviour.has(Trouble.DOWN) or not due:
            return []
        self._dirty -= set(due)
        bodies = [self._body(rows, now) for rows in self._whole_minutes(due)]
        if self.behaviour.has(Trouble.DUPLICATED):
            bodies += [Body(f"{body.key}-again", body.data) for body in bodies]
        return bodies

    def forget(self, before: int) -> None:
        """Drop the minutes that are not corrected any more."""
        for told in (self._told, self._totals):
            if told is not None:
                told.forget(before)
        self._dirty = {minute for minute in self._dirty if minute >= before}

    def _ended_since(self, now: int) -> set[int]:
        """Minutes that have ended since this was last asked: they are told also when nobody came in them."""
        before = min(self._dirty, default=now) if self._ended is None else self._ended
        self._ended = now
        return set(range(before, now, MINUTE))

    def _whole_minutes(self, minutes: list[int]) -> Iterable[list[dict[str, object]]]:
        rows: list[dict[str, object]] = []
        for minute in minutes:
            rows += self._rows(minute)
            if len(rows) >= ROWS:
                yield rows
                rows = []
        if rows:
            yield rows

    def _rows(self, minute: int) -> Iterable[dict[str, object]]:
        left_out = MISSING if self.behaviour.has(Trouble.MISSING) else None
        wrong = self.behaviour.has(Trouble.WRONG_SUMS)
        start = local(minute).isoformat()
        for row, value in self._told.changes(minute).items():
            if row[1] != left_out:
                yield _observation(row, start, value)
        if self._totals is not None:
            for row, value in self._totals.changes(minute).items():
                yield _observation(row, start, value + wrong * max(2, round(value * TOTALS_OFF)))

    def _body(self, rows: list[dict[str, object]], now: int) -> Body:
        self._sequence += 1
        document = {"revision": now * 1000 + self._sequence % 1000, "observations": rows}
        data = json.dumps(document).encode()
        if self.behaviour.has(Trouble.GARBAGE):
            data = data[: len(data) // 2]
        return Body(f"{self.channel}-{now}-{self._sequence}", data)


def app_figures(books: Ledger, behaviour: Behaviour) -> PushedFigures:
    """The app: by city, and the totals of provinces that it reports of itself."""
    totals = Restated(books, "app", "province", {"contacts": ()})
    return PushedFigures("app", behaviour, Restated(books, "app", "city", APP), totals)


def shop_figures(books: Ledger, behaviour: Behaviour, provinces: tuple[str, ...]) -> PushedFigures:
    """The shops: by province, every province in every minute."""
    return PushedFigures("shops", behaviour, Restated(books, "shops", "province", SHOPS, provinces), None)


def _observation(row: Row, start: str, value: int) -> dict[str, object]:
    measure, region, key = row
    observation: dict[str, object] = {"measure": measure, "region": region, "start": start, "value": value}
    return observation | ({"dimensions": decode_dimensions(key)} if key else {})
