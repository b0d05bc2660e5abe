"""Complaints and field orders of every province: how many are open, which fell due, which were closed in time."""

from collections import defaultdict
from dataclasses import dataclass

from simulator.contacts import Contact
from simulator.ledger import MINUTE
from simulator.world import Process, World

ORDERS_PER_NEED = 0.033
"""Open tickets that one need leaves behind on average."""
LATE_SHARE = 0.15
"""Part of the orders of a strained province that its missing people make late."""


@dataclass(frozen=True)
class Due:
    """Orders of one province whose limit fell in one minute, and those of them closed in time."""

    due: int
    closed_in_limit: int
    complaints_due: int
    """Those of them that are complaints, which are watched more closely."""
    complaints_closed_in_limit: int


class Orders:
    """Open orders live `life_hours` on average; those that fall due now were opened before the clock began."""

    def __init__(self, world: World, presence: dict[str, float], keep_s: int = 7200) -> None:
        self._world, self._keep_s = world, keep_s
        self._chance = world.chance("orders")
        habits = world.habits
        self._per_minute = {
            code: habits.needs_per_minute * world.scale * ORDERS_PER_NEED * share
            for code, share in world.nation.share.items()
        }
        minutes = habits.orders.life_hours * 60
        self.backlog = {code: self._chance.poisson(rate * minutes) for code, rate in self._per_minute.items()}
        self._on_time = {code: habits.orders.on_time - LATE_SHARE * (1 - part) for code, part in presence.items()}
        self.due: dict[int, dict[str, Due]] = defaultdict(dict)

    def note(self, contact: Contact) -> None:
        """Listen to the world: a contact that ends with an open ticket opens an order."""
        if contact.outcome == "ticket_open":
            self.backlog[contact.need.city.province] += 1

    def work(self) -> Process:
        """Process: at the end of every minute some orders are closed and some fall due."""
        minutes = self._world.habits.orders.life_hours * 60
        while True:
            start = self._world.now - self._world.now % MINUTE
            yield self._world.env.timeout(start + MINUTE - self._world.env.now)
            for code, rate in self._per_minute.items():
                closed = self._chance.poisson(self.backlog[code] / minutes)
                self.backlog[code] = max(0, self.backlog[code] - closed)
                due = self._chance.poisson(rate)
                complaints = self._chance.binomial(due, self._world.habits.orders.complaint_share)
                others = self._chance.binomial(due - complaints, self._on_time[code])
                answered = self._chance.binomial(complaints, (1 + self._on_time[code]) / 2)
                self.due[start][code] = Due(due, others + answered, complaints, answered)
            for old in [minute for minute in self.due if minute < start - self._keep_s]:
                del self.due[old]

    def users(self, province: str) -> int:
        """Subscribers of a province."""
        return round(self._world.nation.population[province] * self._world.habits.users_per_head)
