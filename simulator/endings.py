"""How contacts end: handling, outcome, votes, and whether the customer comes back."""

from dataclasses import replace
from typing import Protocol

from simulator.chance import Choice
from simulator.contacts import Contact, Need, Steered
from simulator.world import Process, World

RESOLVED, REPEAT, TRANSFERRED = "resolved_first", "repeat_24h", "transferred"
ABANDONED, TICKET_OPEN = "abandoned", "ticket_open"
NOT_HANDLED = "not_handled"


class Begin(Protocol):
    """Lets a customer come in."""

    def __call__(self, need: Need, channel: str = "", origin: Contact | None = None) -> None:
        """Begin a contact."""
        ...


class Endings:
    """Closes contacts; a customer who comes back within 24 h is a repeat, and nobody else is."""

    def __init__(self, world: World, begin: Begin) -> None:
        self._world = world
        self._begin = begin
        self._chance = world.chance("endings")
        self._handlings = {name: Choice(service.handling) for name, service in world.habits.services.items()}
        self._origins: dict[str, Contact] = {}
        """Contact that a steered customer makes -> the call that was steered."""

    def answers_to(self, contact: Contact, origin: Contact) -> None:
        """The contact is what became of a call that was steered."""
        self._origins[contact.key] = origin

    def by_machine_at_once(self, contact: Contact) -> None:
        """The contact is known only when it is over, and a machine served it to the end."""
        self._close(contact, "self_served", self._resolved(contact))

    def by_machine(self, contact: Contact, *, gave_up: bool, served: bool) -> None:
        """The contact ended in the machine."""
        if gave_up:
            self._close(contact, "self_served", ABANDONED)
        elif served:
            self._close(contact, "self_served", self._resolved(contact))
        else:
            self._close(contact, "self_served", TRANSFERRED)
            self._begin(contact.need, "im")

    def gave_up(self, contact: Contact) -> None:
        """The customer left the queue."""
        self._close(contact, NOT_HANDLED, ABANDONED)

    def steered(self, contact: Contact) -> None:
        """The customer left the queue for another channel."""
        contact.steered = Steered.ACCEPTED
        self._close(contact, NOT_HANDLED, TRANSFERRED)

    def by_agent(self, contact: Contact) -> None:
        """A person has finished with the contact."""
        habits = self._world.habits
        service = habits.services[contact.need.service]
        handling = self._handlings[contact.need.service].draw(self._chance)
        contact.transferred = handling == "expert"
        if handling in ("field_order", "other_department"):
            outcome = TICKET_OPEN
        elif self._chance.happens(habits.transfer_to_other_channel):
            outcome = TRANSFERRED
            self._begin(contact.need, "shops")
        elif self._chance.happens(service.closes):
            outcome = self._resolved(contact)
        else:
            outcome = TICKET_OPEN
        contact.vote = self._vote(satisfied=outcome == RESOLVED)
        self._close(contact, handling, outcome)

    def _resolved(self, contact: Contact) -> str:
        return REPEAT if contact.need.repeat else RESOLVED

    def _vote(self, *, satisfied: bool) -> int:
        votes = self._world.habits.votes
        if not self._chance.happens(votes.asked):
            return 0
        if self._chance.happens(votes.satisfied if satisfied else votes.satisfied_unresolved):
            return 5 if self._chance.happens(0.7) else 4
        return 1 + self._chance.binomial(2, 0.6)

    def _close(self, contact: Contact, handling: str, outcome: str) -> None:
        contact.handling, contact.outcome, contact.ended = handling, outcome, self._world.now
        self._world.tell(contact)
        origin = self._origins.pop(contact.key, None)
        if origin is not None and outcome in (RESOLVED, REPEAT):
            self._steering_worked(origin)
        if outcome != TRANSFERRED:
            self._perhaps_return(contact)

    def _steering_worked(self, origin: Contact) -> None:
        """The steered customer was served on the other channel: the call's record is told so, late."""
        steering = self._world.habits.steering
        if not self._chance.happens(steering.completed):
            return
        origin.steered = Steered.NO_RETURN if self._chance.happens(steering.no_return) else Steered.COMPLETED
        self._world.tell(origin)

    def _perhaps_return(self, contact: Contact) -> None:
        returns = self._world.habits.returns
        chances = {ABANDONED: returns.after_giving_up, RESOLVED: returns.after_resolved, REPEAT: returns.after_resolved}
        if self._chance.happens(chances.get(contact.outcome, returns.after_unresolved)):
            hours = returns.hours * (0.1 if contact.outcome == ABANDONED else 1.0)
            self._world.env.process(self._return(contact.need, hours))

    def _return(self, need: Need, hours: float) -> Process:
        """The customer comes back for the same need, within the day."""
        yield self._world.env.timeout(min(self._chance.gap(1 / (hours * 3600)), 86_000))
        self._begin(replace(need, repeat=True))
