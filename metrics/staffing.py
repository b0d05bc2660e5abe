"""How many agents a queue needs: Erlang C, for contacts that wait and do not leave.

The formulae are those of A. K. Erlang (1917) as in any textbook of queueing; the waiting probability
comes from the recursion for Erlang B, which stays exact where factorials overflow.
"""

from dataclasses import dataclass
from math import exp


@dataclass(frozen=True)
class Demand:
    """What a queue meets in one interval."""

    contacts: float
    interval_s: float
    aht_s: float

    @property
    def load(self) -> float:
        """Offered load in erlangs: agents busy on average if nobody waited."""
        return self.contacts / self.interval_s * self.aht_s


def probability_of_waiting(demand: Demand, agents: int) -> float:
    """Share of contacts that find every agent busy; 1 where the agents cannot keep up."""
    load = demand.load
    if agents <= load:
        return 1.0
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / agents * (1 - blocked))


def expected_service_level(demand: Demand, agents: int, within_s: float) -> float:
    """Share of contacts answered within that many seconds; 0 where the agents cannot keep up."""
    if demand.contacts == 0:
        return 1.0
    if agents <= demand.load:
        return 0.0
    waiting = probability_of_waiting(demand, agents)
    return 1 - waiting * exp(-(agents - demand.load) * within_s / demand.aht_s)


def agents_needed(demand: Demand, target: float, within_s: float) -> int:
    """Fewest agents that reach a service level below 1; none where there are no contacts."""
    if not 0 <= target < 1:
        raise ValueError(f"a service level of {target} cannot be planned for; it must be at least 0 and below 1")
    if demand.contacts == 0:
        return 0
    agents = int(demand.load) + 1
    while expected_service_level(demand, agents, within_s) < target:
        agents += 1
    return agents
