"""Misbehaviour on command: what a channel system can do wrong, and since when it does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.contacts import Contact
from simulator.nation import City, Nation

LATE_S = 900
"""Seconds by which a late system tells everything later."""
SLOW_S = 20.0
"""Seconds that a slow interface thinks before each answer."""
MISSING = "420000"
"""Province that a system with something missing leaves out."""
COPIED_FROM, COPIED_TO = "440000", "450000"
"""The second province shows the figures of the first instead of its own."""


class Trouble(StrEnum):
    """What can be switched on for a channel."""

    LATE = "late"
    MISSING = "missing"
    DUPLICATED = "duplicated"
    WRONG_SUMS = "wrong_sums"
    STOPPED_CLOCK = "stopped_clock"
    COPIED_FIGURES = "copied_figures"
    DOWN = "down"
    SLOW = "slow"
    GARBAGE = "garbage"


EVERYWHERE = frozenset(Trouble) - {Trouble.SLOW, Trouble.WRONG_SUMS}
POLLED = EVERYWHERE | {Trouble.SLOW}
SUMS = frozenset({Trouble.WRONG_SUMS})
POSSIBLE: Mapping[str, frozenset[Trouble]] = {
    "hotline": EVERYWHERE | SUMS,
    "ivr": EVERYWHERE,
    "sms": EVERYWHERE | SUMS,
    "email": EVERYWHERE | SUMS,
    "im": POLLED | SUMS,
    "weibo": POLLED | SUMS,
    "wechat": POLLED | SUMS,
    "knowledge": POLLED,
    "webhall": EVERYWHERE,
    "app": EVERYWHERE | SUMS,
    "shops": EVERYWHERE | SUMS,
    "floor": frozenset({Trouble.DOWN, Trouble.SLOW, Trouble.GARBAGE}),
}
"""By system: what it can do wrong; `floor` is the hotline's second system, that of the seat centres."""


class Impossible(ValueError):
    """A trouble that this system cannot have."""


@dataclass
class Spell:
    """A time during which a system misbehaves; contacts that begin in it are concerned to their end."""

    trouble: Trouble
    since: int
    until: int | None = None

    def covers(self, moment: int) -> bool:
        """Whether the moment lies in it."""
        return self.since <= moment and (self.until is None or moment < self.until)


class Behaviour:
    """How one system behaves; all is well until a trouble is switched on."""

    def __init__(self, system: str, nation: Nation) -> None:
        self.system = system
        self._spells: list[Spell] = []
        self._cities = {
            province: [city for city in nation.cities if city.province == province] for province in nation.provinces
        }

    def start(self, trouble: Trouble, now: int) -> None:
        """Switch a trouble on; raises Impossible where the system has nothing that could go wrong so."""
        if trouble not in POSSIBLE[self.system]:
            known = ", ".join(sorted(POSSIBLE[self.system]))
            raise Impossible(f"{self.system} cannot be {trouble}; it can be: {known}")
        if not self.has(trouble):
            self._spells.append(Spell(trouble, now))

    def stop(self, trouble: Trouble, now: int) -> None:
        """Switch a trouble off; one that is off already changes nothing."""
        for spell in self._spells:
            if spell.trouble is trouble and spell.until is None:
                spell.until = now

    def has(self, trouble: Trouble) -> bool:
        """Whether a trouble is on now."""
        return any(spell.trouble is trouble and spell.until is None for spell in self._spells)

    def troubles(self) -> list[Trouble]:
        """Everything that is wrong now."""
        return [spell.trouble for spell in self._spells if spell.until is None]

    def delay(self) -> int:
        """Seconds by which it tells everything later."""
        return LATE_S if self.has(Trouble.LATE) else 0

    def clock(self, moment: int) -> int:
        """What the system's clock shows at a moment."""
        stopped = self._spell(Trouble.STOPPED_CLOCK, moment)
        return stopped.since if stopped else moment

    def as_told(self, contact: Contact) -> Iterator[Contact]:
        """What the system's own books hold of a contact: usually itself, alone."""
        if not self._spells:
            yield contact
            return
        wrong = self._spell(Trouble.WRONG_SUMS, contact.began) and contact.answered is not None
        clock = self.clock(contact.began)
        told = contact
        if wrong or clock != contact.began:
            told = replace(contact, began=clock, left=contact.answered if wrong else contact.left)
        yield from self._by_place(told, contact.began)

    def _by_place(self, told: Contact, began: int) -> Iterator[Contact]:
        """Leave a province out, or write one province's contacts down for another as well."""
        province = told.need.city.province
        if province == MISSING and self._spell(Trouble.MISSING, began):
            return
        if self._spell(Trouble.COPIED_FIGURES, began):
            if province == COPIED_TO:
                return
            if province == COPIED_FROM:
                yield replace(told, key=f"{told.key}C", need=replace(told.need, city=self._twin(told.need.city)))
        yield told

    def _twin(self, city: City) -> City:
        there = self._cities[COPIED_TO]
        return there[self._cities[COPIED_FROM].index(city) % len(there)]

    def _spell(self, trouble: Trouble, moment: int) -> Spell | None:
        return next((spell for spell in self._spells if spell.trouble is trouble and spell.covers(moment)), None)
