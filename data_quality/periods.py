"""The periods that figures are about: the present as a whole, or pieces of the past that follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_quality.grid.schedule import epoch_seconds

Seconds = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Periods:
    """Periods in order, each beginning where the one before ends; seconds since 1970."""

    starts: Seconds
    ends: Seconds
    bounded: bool = True
    """False: one period, the present, which everything that is open is about."""

    @classmethod
    def present(cls) -> "Periods":
        """The present."""
        return cls(np.zeros(1, np.int64), np.zeros(1, np.int64), bounded=False)

    @classmethod
    def of(cls, edges: Sequence[datetime]) -> "Periods":
        """Those between moments."""
        seconds = np.array([edge.timestamp() for edge in edges]).astype(np.int64)
        return cls(seconds[:-1], seconds[1:])

    def __len__(self) -> int:
        return len(self.starts)

    def met(self, findings: pd.DataFrame) -> list[Positions]:
        """The periods that each finding is about: all, of the present.

        Of the past, `findings` have start and end, the time that is concerned (NaT: any), and since and until, the
        periods, by position, among which it is looked for.
        """
        every = np.arange(len(self))
        if not self.bounded:
            return [every] * len(findings)
        starts, ends = (epoch_seconds(findings[name]) for name in ("start", "end"))
        anytime = findings["start"].isna().to_numpy()
        first = np.where(anytime, 0, np.searchsorted(self.ends, starts, side="right"))
        last = np.where(anytime, len(self), np.searchsorted(self.starts, np.maximum(ends, starts + 1), side="left"))
        low = np.maximum(first, findings["since"].to_numpy(np.int64)).tolist()
        high = np.minimum(last, findings["until"].to_numpy(np.int64)).tolist()
        return [every[begin:end] for begin, end in zip(low, high, strict=True)]
