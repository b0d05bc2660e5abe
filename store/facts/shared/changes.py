"""What became of the rows of a write, counted kind by kind, as `Written` gives it."""

from metrics.observations import Interval
from store.facts.history import Written
from store.facts.shared.seconds import moment

VISIBLE = ("new", "changed", "removed")
"""What is there now that was not, or no more: `Written.touched` covers these."""


class Changes:
    """Numbers of rows by what became of them: new, changed, removed, confirmed, same or older."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._starts: list[int] = []

    def add(self, kind: str, number: int, first: int, last: int) -> None:
        """Count rows whose starts lie from a first to a last one, in seconds since 1970."""
        self._numbers[kind] = self._numbers.get(kind, 0) + number
        if kind in VISIBLE and number:
            self._starts += [first, last]

    def number(self, *kinds: str) -> int:
        """How many rows became any of these."""
        return sum(self._numbers.get(kind, 0) for kind in kinds)

    def total(self) -> int:
        """How many rows were counted."""
        return sum(self._numbers.values())

    def written(self, interval_s: int, unchanged: int) -> Written:
        """What the write did; `interval_s` is the length of the channel's intervals."""
        touched = None
        if self._starts:
            touched = Interval(moment(min(self._starts)), moment(max(self._starts) + interval_s))
        return Written(
            inserted=self.number("new"),
            changed=self.number("changed"),
            removed=self.number("removed"),
            unchanged=unchanged,
            superseded_older=self.number("older"),
            touched=touched,
        )
