"""Rosters: how many agents each pool plans for the load it expects, and how many of them are there."""

from math import ceil, sqrt

from simulator.pool import Pool
from simulator.world import TEXT_CHANNELS, Process, World

RETURNING = 1.07
"""Contacts that arise for each need: repeats and customers passed from channel to channel come on top."""


class Rosters:
    """Plans agents from the expected load (load + comfort x the load's root); absences depend on the province.

    A handful of provinces is short of people all day, so that not every screen is green.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance("rosters")
        self.presence = _presence(world)
        """Province -> part of the plan that is there."""

    def keep(self) -> Process:
        """Process: a new roster for everybody, again and again."""
        while True:
            self._staff_centres()
            self._staff_others()
            yield self._world.env.timeout(self._world.habits.roster.every_s)

    def _staff_centres(self) -> None:
        calls = self._world.needs_per_second(self._world.env.now) * self._load_per_need("calls")
        for centre in self._world.nation.centres.values():
            pool = self._world.centres[centre.code]
            self._staff(pool, "calls", calls * centre.share, self.presence[centre.province])

    def _staff_others(self) -> None:
        needs = self._world.needs_per_second(self._world.env.now)
        for name in TEXT_CHANNELS:
            self._staff(self._world.texts[name], name, needs * self._load_per_need(name))
        shops = needs * self._load_per_need("shops")
        for province, pool in self._world.shops.items():
            self._staff(pool, "shops", shops * self._world.nation.share[province])

    def _staff(self, pool: Pool, way: str, load: float, presence: float = 1.0) -> None:
        """Put people to a pool that expects `load` contacts in hand on average."""
        habits = self._world.habits
        wanted = load + habits.channels[way].comfort * sqrt(load)
        planned = max(2, ceil(wanted / pool.concurrency))
        there = round(planned * presence)
        pool.staff(planned, max(1, there - self._chance.binomial(there, habits.roster.absence)))

    def _load_per_need(self, way: str) -> float:
        """Mean seconds of people's work that one need of the nation brings to a channel."""
        habits = self._world.habits
        channel = habits.channels[way]
        around = habits.after_contact_s + habits.hold.share * habits.hold.seconds
        direct = channel.entries.get("human_queue", 0.0)
        if way == "calls":
            direct = sum(grade.share * grade.direct for grade in habits.grades.values())
        seconds = 0.0
        for name, service in habits.services.items():
            asked = direct + (1 - direct) * (1 - habits.machine_serves(way, name))
            seconds += service.share * asked * (service.talk_s * channel.talk + around)
        return channel.preference * seconds * RETURNING


def _presence(world: World) -> dict[str, float]:
    """Deal the temperaments out to the provinces, by the seed."""
    order = world.chance("temperaments").shuffled(list(world.nation.provinces))
    found: dict[str, float] = {}
    for temperament in sorted(world.habits.temperaments.values(), key=lambda kind: kind.presence):
        dealt, order = order[: temperament.provinces], order[temperament.provinces :]
        found.update(dict.fromkeys(dealt, temperament.presence))
    return found | dict.fromkeys(order, 1.0)
