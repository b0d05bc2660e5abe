"""One contact as a channel system writes it down: its own columns, not this product's measures."""

from dataclasses import dataclass
from operator import attrgetter

from simulator.contacts import Contact
from simulator.rhythm import local


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a contact log or a contact table; empty text and None are what is not known yet."""

    contact_id: str
    customer: str
    arrived: str
    """ISO with the offset of the nation's wall clock."""
    city: str
    entry: str
    service: str
    grade: str
    centre: str
    agent: str
    queued: int
    answered_s: int | None
    """Seconds in the queue until an agent answered."""
    left_s: int | None
    """Seconds in the queue until the customer left it."""
    rerouted: int
    """1 if the customer left the queue for another channel."""
    talk_s: int
    hold_s: int
    acw_s: int
    engaged_s: int
    closed: int
    handling: str
    outcome: str
    repeat: int
    vote: int | None
    steered: str
    towards: str


COLUMNS = tuple(Record.__dataclass_fields__)
VALUES = attrgetter(*COLUMNS)


def record_of(contact: Contact) -> Record:
    """The contact as it stands now."""
    need, queued = contact.need, contact.queued
    answered_s = None if queued is None or contact.answered is None else contact.answered - queued
    left_s = None if queued is None or contact.left is None else contact.left - queued
    return Record(
        contact_id=contact.key,
        customer=need.customer,
        arrived=local(contact.began).isoformat(),
        city=need.city.code,
        entry=contact.entry,
        service=need.service,
        grade=need.grade,
        centre=contact.centre,
        agent=contact.agent,
        queued=int(queued is not None),
        answered_s=answered_s,
        left_s=left_s,
        rerouted=int(contact.flowed_out),
        talk_s=contact.talk_s,
        hold_s=contact.hold_s,
        acw_s=contact.acw_s,
        engaged_s=contact.engaged_s,
        closed=int(contact.ended is not None),
        handling=contact.handling,
        outcome=contact.outcome,
        repeat=int(need.repeat),
        vote=contact.vote or None,
        steered=contact.steered.value,
        towards=contact.towards,
    )


def as_line(record: Record) -> str:
    """One line of a delimited file; no value of a record holds a comma or a quote."""
    return ",".join("" if value is None else str(value) for value in VALUES(record))


def as_row(record: Record) -> dict[str, str | int | None]:
    """The record's values by column."""
    return dict(zip(COLUMNS, VALUES(record), strict=True))
