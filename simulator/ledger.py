"""The nation's own books: what every channel should report, for any minute, at any instant.

The interfaces that deliver finished counts are served from it, and tests hold every protocol
against it. It keeps the contacts themselves and counts when it is asked, so it cannot drift from them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from metrics.observations import encode_dimensions
from simulator.contacts import Contact
from simulator.measures import measures_of, path_of

MINUTE = 60
Row = tuple[str, str, str]
"""(measure, region, dimension key)."""
Wanted = Mapping[str, tuple[str, ...]]
"""Measure -> the dimensions that it is split by."""


class Ledger:
    """Contacts of some channels by the minute they arrived in; forgets what is older than `keep_s`."""

    def __init__(self, channels: Iterable[str], keep_s: int = 7200) -> None:
        self._channels = frozenset(channels)
        self._keep_s = keep_s
        self._minutes: dict[tuple[str, int], dict[str, Contact]] = defaultdict(dict)

    def note(self, contact: Contact) -> None:
        """Listen to the world: the contact is in the books from its first word on."""
        if contact.channel in self._channels:
            self._minutes[contact.channel, minute_of(contact)][contact.key] = contact

    def contacts(self, channel: str, minute: int) -> Iterable[Contact]:
        """Contacts of a channel that arrived in the minute that begins at `minute`."""
        return self._minutes.get((channel, minute), {}).values()

    def minutes(self, channel: str) -> tuple[int, ...]:
        """Minutes of a channel that hold contacts, in order."""
        return tuple(sorted(minute for name, minute in self._minutes if name == channel))

    def count(self, channel: str, minute: int, level: str, wanted: Wanted) -> dict[Row, int]:
        """Sums of one minute by measure, region (`city` or `province`) and dimension key, zeros left out."""
        found: Counter[Row] = Counter()
        for contact in self.contacts(channel, minute):
            path = path_of(contact)
            region = contact.need.city.code if level == "city" else contact.need.city.province
            for measure, value in measures_of(contact).items():
                if measure in wanted:
                    known = tuple((name, path[name]) for name in wanted[measure] if path.get(name))
                    found[measure, region, _dimension_key(known)] += value
        return dict(found)

    def forget(self, now: int) -> None:
        """Drop what is too old for any interface to be asked for it."""
        for key in [key for key in self._minutes if key[1] < now - self._keep_s]:
            del self._minutes[key]


@lru_cache(maxsize=20_000)
def _dimension_key(known: tuple[tuple[str, str], ...]) -> str:
    return encode_dimensions(dict(known))


def minute_of(contact: Contact) -> int:
    """Start of the minute in which a contact arrived, seconds since 1970."""
    return contact.began - contact.began % MINUTE


class Restated:
    """Figures that a system has told once and may have to correct: a group that has emptied is told as zero."""

    def __init__(self, ledger: Ledger, channel: str, level: str, wanted: Wanted, always: tuple[str, ...] = ()) -> None:
        """`always`: regions for which measures that are not split are told also when there is nothing to count."""
        self._ledger, self._channel, self._level, self._wanted = ledger, channel, level, wanted
        unsplit = [measure for measure, dimensions in wanted.items() if not dimensions]
        self._zeros: dict[Row, int] = {(measure, region, ""): 0 for measure in unsplit for region in always}
        self._told: dict[int, dict[Row, int]] = {}

    @property
    def tells_zeros(self) -> bool:
        """Whether a minute in which nothing happened has figures too."""
        return bool(self._zeros)

    def minute(self, minute: int) -> dict[Row, int]:
        """All figures of a minute, with zeros for what was told before and is no more."""
        counted = self._ledger.count(self._channel, minute, self._level, self._wanted)
        rows = self._zeros | self._told.get(minute, {}) | counted
        told = {row: counted.get(row, 0) for row in rows}
        self._told[minute] = told
        return told

    def changes(self, minute: int) -> dict[Row, int]:
        """Figures of a minute that are not as they were last told."""
        before = self._told.get(minute, {})
        return {row: value for row, value in self.minute(minute).items() if before.get(row) != value}

    def forget(self, before: int) -> None:
        """Drop the minutes that nobody corrects any more."""
        for minute in [minute for minute in self._told if minute < before]:
            del self._told[minute]
