"""Call records in growing files: the hotline's ACD and the IVR write a line at each change of a call."""

from pathlib import Path

from simulator.contacts import Contact
from simulator.records import COLUMNS, as_line, record_of
from simulator.rhythm import local
from simulator.systems.growing_file import GrowingFile
from simulator.systems.outbox import Outbox
from simulator.troubles import Behaviour, Trouble

GARBAGE = "\x00\x7f\x01 ACD DUMP 0xDEADBEEF;;;;"
IVR_COLUMNS = ("call_id", "caller", "arrived", "city", "service", "grade", "exit", "outcome", "repeat")
IVR_EXITS = {"abandoned": "hung_up", "resolved_first": "self_served", "repeat_24h": "self_served"}


class ContactFile:
    """One channel's log of contacts; a later line of the same contact replaces the earlier one."""

    def __init__(self, channel: str, folder: Path, behaviour: Behaviour) -> None:
        self.channel, self.behaviour = channel, behaviour
        self._line = ivr_line if channel == "ivr" else contact_line
        header = IVR_COLUMNS if channel == "ivr" else COLUMNS
        self._file = GrowingFile(folder, "calls", ".csv", ",".join(header))
        self._outbox: Outbox[str] = Outbox()

    def note(self, contact: Contact, now: int) -> None:
        """Listen to the world."""
        if contact.channel != self.channel:
            return
        behaviour = self.behaviour
        for told in behaviour.as_told(contact):
            line = self._line(told)
            for _ in range(1 + behaviour.has(Trouble.DUPLICATED)):
                self._outbox.put(now + behaviour.delay(), line)

    def flush(self, now: int) -> None:
        """Bring what is due into the file."""
        self._file.hide(self.behaviour.has(Trouble.DOWN))
        lines = self._outbox.take(now)
        if self.behaviour.has(Trouble.GARBAGE):
            lines = [text for line in lines for text in (line, GARBAGE)]
        self._file.write(lines, now)


def contact_line(contact: Contact) -> str:
    """A line of the hotline's log."""
    return as_line(record_of(contact))


def ivr_line(contact: Contact) -> str:
    """A line of the IVR's log: how the call left it is empty while it is inside."""
    need = contact.need
    leaving = "to_agent" if contact.to_agent else IVR_EXITS.get(contact.outcome, "")
    called = (contact.key, need.customer, local(contact.began).isoformat(), need.city.code, need.service, need.grade)
    return ",".join((*called, leaving, contact.outcome, str(int(need.repeat))))
