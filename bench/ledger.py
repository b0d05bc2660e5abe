"""What acknowledged bodies of the reference load have said, and what the store makes of it.

ledger = Ledger(load)
ledger.acknowledge("channel_01", minute)    # for every body that was answered 202, in any order, once or often
ledger.differences(history)                 # [] when nothing was lost and nothing was counted twice
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from bench.load import MEASURES, STEP, Floats, Load
from metrics.observations import Interval
from store.facts.history import History

Key = tuple[str, str, datetime]
"""Channel, measure, minute."""
Said = tuple[float, int]
"""Sum and number of observations."""
Truth = dict[Key, Said]


@dataclass(frozen=True)
class Balance:
    """Numbers of observations: acknowledged, and of these not in the store; in the store without having been sent."""

    acknowledged: int
    lost: int
    doubled: int


class Ledger:
    """What acknowledged bodies have said: the truth that the store is compared with."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self._held: dict[tuple[str, datetime], tuple[Floats, npt.NDArray[np.int64]]] = {}
        """(values, revision of each) by channel and minute."""

    def acknowledge(self, channel: str, minute: datetime) -> None:
        """Take in what one body says; once or often, in any order."""
        revision = int(minute.timestamp())
        shape = (self.load.rows(channel), len(self.load.regions))
        for about, said in self.load.said(channel, minute):
            blank = (np.full(shape, np.nan), np.full(shape, -1, np.int64))
            values, revisions = self._held.setdefault((channel, about), blank)
            newer = ~np.isnan(said) & (revision > revisions)
            values[newer], revisions[newer] = said[newer], revision

    def truth(self) -> Truth:
        """What must be in the store."""
        found: Truth = {}
        for (channel, minute), (values, _) in self._held.items():
            for row, cells in enumerate(values):
                known = cells[~np.isnan(cells)]
                if len(known):
                    key = (channel, MEASURES[row] if row < len(MEASURES) else MEASURES[0], minute)
                    total, count = found.get(key, (0.0, 0))
                    found[key] = (total + float(known.sum()), count + len(known))
        return found

    def differences(self, history: History) -> list[str]:
        """What the store holds otherwise than it was told, a line each; none when all is as it must be."""
        return [
            f"{channel} {measure} {minute:%H:%M}: stored {have}, acknowledged {want} (sum, count)"
            for (channel, measure, minute), have, want in self._compared(history)
            if have != want
        ]

    def balance(self, history: History) -> Balance:
        """The same as three numbers of observations."""
        acknowledged = lost = doubled = 0
        for _, (_, have), (_, want) in self._compared(history):
            acknowledged += want
            lost += max(0, want - have)
            doubled += max(0, have - want)
        return Balance(acknowledged, lost, doubled)

    def _compared(self, history: History) -> Iterator[tuple[Key, Said, Said]]:
        """What is stored and what was acknowledged, by key, for every minute that was spoken of."""
        wanted: dict[datetime, Truth] = {}
        for key, value in self.truth().items():
            wanted.setdefault(key[2], {})[key] = value
        for minute in sorted(wanted):
            stored = _stored(history, Interval(minute, minute + STEP))
            for key in sorted({*stored, *wanted[minute]}, key=str):
                yield key, stored.get(key, (0.0, 0)), wanted[minute].get(key, (0.0, 0))


def _stored(history: History, span: Interval) -> Truth:
    """Sum and number of observations in the store, by row so that one counted twice is seen."""
    rows = history.observations(span)
    keys = [rows["channel"].astype(str), rows["measure"].astype(str), rows["start"]]
    found = rows.groupby(keys)["value"].agg(["sum", "count"])
    return {
        (channel, measure, start.to_pydatetime()): (float(one["sum"]), int(one["count"]))
        for (channel, measure, start), one in found.iterrows()
    }
