"""The nation at work: one clock, customers with needs, pools of agents, and whoever listens to the contacts."""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import Any

import simpy

from simulator.chance import Chance, Choice
from simulator.contacts import Contact, Need
from simulator.habits import Habits
from simulator.nation import Centre, Nation
from simulator.pool import Pool
from simulator.rhythm import local, shape

Listener = Callable[[Contact], None]
Process = Generator[simpy.Event, Any, None]
KEY_LETTERS = {
    "hotline": "H", "ivr": "V", "sms": "S", "email": "E", "im": "I", "wechat": "W", "weibo": "B",
    "app": "A", "webhall": "N", "knowledge": "K", "shops": "P",
}  # fmt: skip
TEXT_CHANNELS = ("sms", "email", "im", "wechat", "weibo")


LOOK_AGAIN_S = 60


@dataclass(frozen=True, eq=False)
class Incident:
    """Trouble in a province: how many times its usual needs arise."""

    province: str
    factor: float


class World:
    """Discrete-event state of the whole nation; the clock is seconds since 1970.

    Nothing runs by itself: `advance` moves the clock, and everybody who listens is told of each
    change of each contact, in order. The same seed and start give the same contacts.
    """

    def __init__(self, nation: Nation, habits: Habits, *, seed: int, start: datetime, scale: float = 1.0) -> None:
        """`start` must be aware; `scale` multiplies the needs of `habits`."""
        if start.tzinfo is None:
            raise ValueError("the nation's clock needs a start with a time zone")
        self.nation, self.habits, self.scale = nation, habits, scale
        self.started = start.timestamp()
        self.env = simpy.Environment(initial_time=self.started)
        self.listeners: list[Listener] = []
        self.centres = {code: Pool(self.env) for code in nation.centres}
        self.texts = {name: Pool(self.env, habits.channels[name].concurrency) for name in TEXT_CHANNELS}
        self.shops = {province: Pool(self.env) for province in nation.provinces}
        self.incidents: dict[str, Incident] = {}
        """By province; those that go on."""
        self._seed = seed
        self._keys: Counter[str] = Counter()
        self._run = f"{local(self.started):%y%m%d%H%M%S}"
        self._grades = Choice({name: grade.share for name, grade in habits.grades.items()})
        self._services = Choice({name: service.share for name, service in habits.services.items()})

    @property
    def now(self) -> int:
        """The clock, in whole seconds since 1970."""
        return int(self.env.now)

    def chance(self, name: str) -> Chance:
        """A stream of draws of this nation."""
        return Chance(self._seed, name)

    def advance(self, until: float) -> None:
        """Let everything happen that happens before `until`; a time that has passed changes nothing."""
        if until > self.env.now:
            self.env.run(until=until)

    def needs(self, begin: Callable[[Need], None]) -> Process:
        """Process: customers turn to the operator at the nation's rhythm."""
        chance = self.chance("needs")
        while True:
            yield self.env.timeout(chance.gap(self.needs_per_second(self.env.now)))
            begin(self._need(chance, self._services.draw(chance)))

    def needs_per_second(self, at: float) -> float:
        """Rate at which the nation's needs arise, incidents not counted."""
        return self.habits.needs_per_minute / 60 * self.scale * shape(self.habits, at)

    def begin_incident(self, province: str, factor: float, begin: Callable[[Need], None]) -> None:
        """From now on a province has `factor` times its usual needs, most of them about the incident."""
        if province not in self.nation.provinces:
            raise ValueError(f"unknown province {province!r}; there are {', '.join(self.nation.provinces)}")
        if factor <= 1:
            raise ValueError(f"an incident multiplies the needs: the factor must be above 1, not {factor}")
        incident = Incident(province, factor)
        self.incidents[province] = incident
        self.env.process(self._needs_of(incident, begin))

    def end_incident(self, province: str) -> None:
        """The province has its usual needs again; unknown or ended incidents change nothing."""
        self.incidents.pop(province, None)

    def born(self, channel: str, need: Need, entry: str) -> Contact:
        """A new contact with its key; the caller tells of it when its first state is complete."""
        self._keys[channel] += 1
        key = f"{KEY_LETTERS[channel]}{self._run}{self._keys[channel]:08d}"
        return Contact(key, channel, need, entry, self.now)

    def tell(self, contact: Contact) -> None:
        """A contact has changed."""
        for listener in self.listeners:
            listener(contact)

    def least_loaded(self, centres: tuple[Centre, ...]) -> Centre:
        """The centre that will answer next, as a router sees it."""
        return min(centres, key=lambda centre: self._pressure(self.centres[centre.code]))

    @staticmethod
    def _pressure(pool: Pool) -> float:
        return (pool.busy + pool.queue_length) / max(1, pool.capacity)

    def _needs_of(self, incident: Incident, begin: Callable[[Need], None]) -> Process:
        chance = self.chance(f"incident {incident.province}")
        habit = self.habits.incident
        usual = self.nation.share[incident.province]
        while self.incidents.get(incident.province) is incident:
            gap = chance.gap((incident.factor - 1) * usual * self.needs_per_second(self.env.now))
            yield self.env.timeout(min(gap, LOOK_AGAIN_S))
            if gap <= LOOK_AGAIN_S and self.incidents.get(incident.province) is incident:
                about = habit.service if chance.happens(habit.share) else self._services.draw(chance)
                begin(self._need(chance, about, incident.province))

    def _need(self, chance: Chance, service: str, province: str = "") -> Need:
        city = self.nation.somewhere(chance, province)
        customer = f"189{chance.number(8)}"
        return Need(city, customer, self._grades.draw(chance), service, self._came_before(chance))

    def _came_before(self, chance: Chance) -> bool:
        """Whether the customer was in contact before the nation's clock began; fewer and fewer were."""
        returns = self.habits.returns
        elapsed = self.env.now - self.started
        return chance.happens(returns.carried_over * exp(-elapsed / (returns.hours * 3600)))
