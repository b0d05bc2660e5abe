"""The constants of the nation, read from `habits.yaml` into strict nouns."""

from functools import cache
from pathlib import Path

import yaml

from config.catalogue import Noun


class Grade(Noun):
    """A grade of customers: its share, and how many of them dial straight to a person."""

    share: float
    direct: float


class Service(Noun):
    """What a customer needs, who can serve it, and how long people talk about it."""

    share: float
    talk_s: float
    machine: float
    expert: float
    field_order: float
    other_department: float
    closes: float

    @property
    def handling(self) -> dict[str, float]:
        """Weights of the four ways in which people handle it."""
        others = {
            "expert": self.expert,
            "field_order": self.field_order,
            "other_department": self.other_department,
        }
        return {"first_line": 1 - sum(others.values()), **others}


class Way(Noun):
    """A way into the operator as its customers use it; `calls` stands for the IVR and the hotline behind it."""

    preference: float
    entries: dict[str, float]
    machine: float
    machine_s: float
    patience_s: float
    talk: float
    comfort: float = 0.0
    concurrency: int = 1


class Returns(Noun):
    """How likely and how soon a customer comes back."""

    after_giving_up: float
    after_unresolved: float
    after_resolved: float
    hours: float
    carried_over: float


class Steering(Noun):
    """What becomes of the offer to use another channel."""

    offered: float
    accepted: float
    listening_s: int
    completed: float
    no_return: float
    towards: dict[str, float]


class Votes(Noun):
    """Satisfaction votes."""

    asked: float
    satisfied: float
    satisfied_unresolved: float


class Hold(Noun):
    """Calls that are put on hold."""

    share: float
    seconds: float


class Roster(Noun):
    """How many agents are planned."""

    every_s: int
    absence: float


class Temperament(Noun):
    """How well a group of provinces is staffed."""

    provinces: int
    presence: float


class IncidentHabit(Noun):
    """What customers ask for while an incident lasts."""

    service: str
    share: float


class Orders(Noun):
    """Life of complaints and field orders."""

    life_hours: float
    on_time: float
    complaint_share: float


class Outbound(Noun):
    """Outbound calls."""

    per_agent_minute: float
    connected: float
    sold: float


class Habits(Noun):
    """Everything in `habits.yaml`."""

    needs_per_minute: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    grades: dict[str, Grade]
    services: dict[str, Service]
    channels: dict[str, Way]
    gives_up_in_machine: float
    returns: Returns
    steering: Steering
    transfer_to_other_channel: float
    votes: Votes
    after_contact_s: float
    hold: Hold
    roster: Roster
    temperaments: dict[str, Temperament]
    incident: IncidentHabit
    users_per_head: float
    orders: Orders
    outbound: Outbound

    def machine_serves(self, channel: str, service: str) -> float:
        """Chance that the channel's machine can serve the need."""
        return min(0.97, self.channels[channel].machine * self.services[service].machine)


@cache
def habits() -> Habits:
    """Read `habits.yaml`; raises pydantic.ValidationError naming the key."""
    text = Path(__file__).with_name("habits.yaml").read_text(encoding="utf-8")
    return Habits.model_validate(yaml.safe_load(text))
