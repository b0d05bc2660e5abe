"""A pool of agents with one queue in front of it: first come, first served, and customers lose patience."""

from collections import deque
from dataclasses import dataclass
from math import ceil

import simpy

ANSWERED, GAVE_UP = "answered", "gave_up"


@dataclass(slots=True, eq=False)
class Place:
    """One customer's place in the queue."""

    since: float
    event: simpy.Event


class Pool:
    """Agents who serve `concurrency` contacts each, and those who wait for them.

    Agents who go off duty finish what they have in hand, so `busy` may pass the capacity for a while.
    """

    def __init__(self, env: simpy.Environment, concurrency: int = 1) -> None:
        self._env = env
        self._waiting: deque[Place] = deque()
        self._gone = 0
        self.concurrency = concurrency
        self.planned = 0
        self.agents = 0
        self.busy = 0
        self._counted_at = float(env.now)
        self._busy_s = 0.0
        self._ready_s = 0.0
        self._planned_s = 0.0

    def join(self, limit_s: float, reason: str = GAVE_UP) -> simpy.Event:
        """Join the queue; the event's value is ANSWERED, or `reason` if nobody is free within `limit_s`."""
        event = self._env.event()
        if self.busy < self.capacity:
            self._take(event)
            return event
        place = Place(self._env.now, event)
        self._waiting.append(place)
        timer = self._env.timeout(limit_s)
        timer.callbacks.append(lambda _: self._leave(place, reason))
        return event

    def release(self) -> None:
        """An agent has finished one contact and takes the next."""
        self._count()
        self.busy -= 1
        self._serve()

    def staff(self, planned: int, agents: int) -> None:
        """Change the roster: how many the plan wants, how many are there."""
        self._count()
        self.planned, self.agents = planned, agents
        self._serve()

    @property
    def capacity(self) -> int:
        """Contacts that can be served at once."""
        return self.agents * self.concurrency

    @property
    def queue_length(self) -> int:
        """Customers who wait now."""
        return len(self._waiting) - self._gone

    @property
    def longest_wait(self) -> float:
        """Seconds that the first in the queue has waited; 0 when nobody waits."""
        self._drop_gone()
        return self._env.now - self._waiting[0].since if self._waiting else 0.0

    @property
    def contacts_per_agent(self) -> float:
        """Contacts that a busy agent has in hand now."""
        return max(1.0, self.busy / max(1, self.agents))

    def seconds(self) -> tuple[float, float, float]:
        """Agent-seconds busy, ready (busy included) and planned since the last time it was asked."""
        self._count()
        counted = (self._busy_s, self._ready_s, self._planned_s)
        self._busy_s = self._ready_s = self._planned_s = 0.0
        return counted

    def _take(self, event: simpy.Event) -> None:
        self._count()
        self.busy += 1
        event.succeed(ANSWERED)

    def _leave(self, place: Place, reason: str) -> None:
        if not place.event.triggered:
            self._gone += 1
            place.event.succeed(reason)

    def _drop_gone(self) -> None:
        while self._waiting and self._waiting[0].event.triggered:
            self._waiting.popleft()
            self._gone -= 1

    def _serve(self) -> None:
        self._drop_gone()
        while self._waiting and self.busy < self.capacity:
            self._take(self._waiting.popleft().event)
            self._drop_gone()

    def _count(self) -> None:
        passed = self._env.now - self._counted_at
        self._counted_at = float(self._env.now)
        at_work = ceil(self.busy / self.concurrency)
        self._busy_s += at_work * passed
        self._ready_s += max(self.agents, at_work) * passed
        self._planned_s += self.planned * passed
