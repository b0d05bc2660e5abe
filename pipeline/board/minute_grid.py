"""The last two hours and the day so far of one source, dense in memory.

A screen asks for the same few windows again and again; summing a dense array of
(minute, key, place) costs a millisecond where a query over facts costs thirty. The facts stay the
truth: every value here was read back from the store after it was written, and a restart refills it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

STEP_S = 60
SLOTS = 150
"""Two hours, and half an hour for the period before the longest window of late sources."""

Values = npt.NDArray[np.float64]
Seen = npt.NDArray[np.bool_]


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware time."""
    return int(moment.timestamp())


def moment(seconds: int) -> datetime:
    """The aware time of `epoch`."""
    return datetime.fromtimestamp(seconds, UTC)


class MinuteGrid:
    """Values by minute, key and place: `keys` grow as they are met, `places` are fixed.

    `values` has the shape (SLOTS, keys, places); `seen` tells a zero that was read from nothing read.
    Slot of a time: its minute modulo SLOTS; `starts` says which minute a slot holds now.
    """

    def __init__(self, places: int, keys: Sequence[str] = ()) -> None:
        self.places = places
        self.keys: dict[str, int] = {key: at for at, key in enumerate(keys)}
        self.starts = np.full(SLOTS, -1, dtype=np.int64)
        self.values: Values = np.zeros((SLOTS, len(keys), places))
        self.seen: Seen = np.zeros((SLOTS, len(keys), places), dtype=np.bool_)
        # Written to, so that the memory is taken now and not minute by minute over the next hours.
        self.values.fill(0.0)
        self.seen.fill(False)

    def row(self, key: str) -> int:
        """Index of a key, made on first sight."""
        if key not in self.keys:
            self.keys[key] = len(self.keys)
            if len(self.keys) > self.values.shape[1]:
                grown = max(8, 2 * self.values.shape[1])
                extra = grown - self.values.shape[1]
                self.values = np.concatenate([self.values, np.zeros((SLOTS, extra, self.places))], axis=1)
                self.seen = np.concatenate([self.seen, np.zeros((SLOTS, extra, self.places), np.bool_)], axis=1)
        return self.keys[key]

    @staticmethod
    def slot(start: int) -> int:
        """Where a minute is held."""
        return (start // STEP_S) % SLOTS

    def clear(self, start: int) -> bool:
        """Make room for one minute, empty; False: the minute is older than what its slot holds."""
        slot = self.slot(start)
        if self.starts[slot] > start:
            return False
        self.starts[slot] = start
        self.values[slot] = 0.0
        self.seen[slot] = False
        return True

    def slots(self, begin: int, end: int) -> npt.NDArray[np.int64]:
        """Slots holding minutes of [begin, end), oldest first."""
        held = np.flatnonzero((self.starts >= begin) & (self.starts < end))
        return held[np.argsort(self.starts[held])]

    def total(self, begin: int, end: int) -> tuple[Values, Seen]:
        """Sum over [begin, end) by (key, place), and where anything was read."""
        values, seen = np.zeros(self.values.shape[1:]), np.zeros(self.seen.shape[1:], np.bool_)
        for slot in self.slots(begin, end):
            values += self.values[slot]
            seen |= self.seen[slot]
        return values, seen

    def peak(self, begin: int, end: int, keys: npt.NDArray[np.bool_]) -> tuple[Values, Seen]:
        """Largest over [begin, end) of some keys, and where anything was read."""
        values, seen = np.zeros((int(keys.sum()), self.places)), np.zeros((int(keys.sum()), self.places), np.bool_)
        for slot in self.slots(begin, end) if keys.any() else ():
            np.maximum(values, self.values[slot][keys], out=values)
            seen |= self.seen[slot][keys]
        return values, seen

    def last(self, begin: int, end: int, keys: npt.NDArray[np.bool_]) -> tuple[Values, Seen]:
        """Values of some keys at the newest minute in [begin, end) at which each was read anywhere: one instant."""
        values, seen = np.zeros((int(keys.sum()), self.places)), np.zeros((int(keys.sum()), self.places), np.bool_)
        missing = np.ones(len(values), np.bool_)
        for slot in self.slots(begin, end)[::-1]:
            if not missing.any():
                break
            told = self.seen[slot][keys]
            read = missing & told.any(axis=1)
            values[read], seen[read] = self.values[slot][keys][read], told[read]
            missing &= ~read
        return values, seen
