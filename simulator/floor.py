"""The floor of each seat centre: levels of the moment, agents' time by the minute, and outbound calls."""

from collections import defaultdict
from dataclasses import asdict, dataclass

from simulator.ledger import MINUTE
from simulator.nation import Centre
from simulator.world import Process, World

BROKEN_SEATS = (0.0, 0.035)
"""Range of the share of seats whose equipment does not work, drawn for each centre."""
FOLLOWS_PLAN = (0.93, 0.985)
"""Range of the share of their time in which those who are there do as planned."""


@dataclass(frozen=True)
class Levels:
    """How a centre stands at an instant."""

    queue_length: int
    longest_wait: int
    agents_on_duty: int
    agents_planned: int
    seats_usable: int
    seats_built: int


@dataclass(frozen=True)
class Work:
    """What a centre's agents did in one minute: seconds, and outbound calls."""

    handle_s: int
    ready_logged_s: int
    scheduled_s: int
    adherent_s: int
    dialled: int
    connected: int
    sold: int


class Floor:
    """Watches every centre's pool; `work` holds the minutes that have passed, by their start."""

    def __init__(self, world: World, keep_s: int = 7200) -> None:
        self._world, self._keep_s = world, keep_s
        self._chance = world.chance("floor")
        self._broken = {code: self._between(BROKEN_SEATS) for code in world.nation.centres}
        self._follows = {code: self._between(FOLLOWS_PLAN) for code in world.nation.centres}
        self.work: dict[int, dict[str, Work]] = defaultdict(dict)

    def watch(self) -> Process:
        """Process: at the end of every minute, book what was done in it."""
        while True:
            start = self._world.now - self._world.now % MINUTE
            yield self._world.env.timeout(start + MINUTE - self._world.env.now)
            for centre in self._world.nation.centres.values():
                self.work[start][centre.code] = self._minute(centre)
            for old in [minute for minute in self.work if minute < start - self._keep_s]:
                del self.work[old]

    def levels(self) -> dict[str, Levels]:
        """How every centre stands now."""
        return {code: self._levels(centre) for code, centre in self._world.nation.centres.items()}

    def _levels(self, centre: Centre) -> Levels:
        pool = self._world.centres[centre.code]
        usable = centre.seats_built - round(centre.seats_built * self._broken[centre.code])
        return Levels(pool.queue_length, int(pool.longest_wait), pool.agents, pool.planned, usable, centre.seats_built)

    def _minute(self, centre: Centre) -> Work:
        busy, ready, planned = self._world.centres[centre.code].seconds()
        outbound = self._world.habits.outbound
        dialled = self._chance.poisson(outbound.per_agent_minute * ready / MINUTE)
        connected = self._chance.binomial(dialled, outbound.connected)
        return Work(
            handle_s=round(busy),
            ready_logged_s=round(ready),
            scheduled_s=round(planned),
            adherent_s=round(min(ready, planned) * self._follows[centre.code]),
            dialled=dialled,
            connected=connected,
            sold=self._chance.binomial(connected, outbound.sold),
        )

    def _between(self, ends: tuple[float, float]) -> float:
        low, high = ends
        return low + (high - low) * self._chance.uniform()


def as_record(figures: Levels | Work) -> dict[str, int]:
    """The figures by measure."""
    return asdict(figures)
