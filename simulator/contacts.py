"""A contact: one customer on one channel, from arrival to its end."""

from dataclasses import dataclass
from enum import StrEnum

from simulator.nation import City


class Steered(StrEnum):
    """How far the offer of another channel has come."""

    NEVER = ""
    OFFERED = "offered"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    NO_RETURN = "no_return"


@dataclass(frozen=True, slots=True)
class Need:
    """Why a customer turns to the operator; the channel is chosen afterwards."""

    city: City
    customer: str
    grade: str
    service: str
    repeat: bool = False


@dataclass(slots=True, eq=False)
class Contact:
    """One contact; all times are whole seconds since 1970, None while they have not come.

    While it is in progress its handling is `in_progress` and its outcome `waiting`: both are
    stages of its one path, so contacts are conserved at every instant.
    """

    key: str
    channel: str
    need: Need
    entry: str
    began: int
    handling: str = "in_progress"
    outcome: str = "waiting"
    centre: str = ""
    agent: str = ""
    queued: int | None = None
    answered: int | None = None
    left: int | None = None
    flowed_out: bool = False
    ended: int | None = None
    talk_s: int = 0
    hold_s: int = 0
    acw_s: int = 0
    engaged_s: int = 0
    transferred: bool = False
    vote: int = 0
    """1 to 5; 0: the customer did not vote."""
    to_agent: bool = False
    """IVR only: the call left the machine for a person and goes on as a contact of the hotline."""
    steered: Steered = Steered.NEVER
    towards: str = ""

    @property
    def wait_s(self) -> int | None:
        """Seconds in the queue, once it is known how it ended."""
        until = self.answered if self.answered is not None else self.left
        return None if self.queued is None or until is None else until - self.queued
