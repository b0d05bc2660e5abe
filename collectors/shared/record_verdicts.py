"""What becomes of each record: counted, left out on purpose, or rejected for its first fault."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from collectors.shared.lines import reject
from metrics.observations import Reject

Mask = npt.NDArray[np.bool_]
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
"""Epoch zero, and a clock that was never set, land in 1970."""
AHEAD_S = 3600
"""How far a record may lie in the future before it is refused; less is clock skew, which the audit judges (TM-04)."""
LONGEST_KEY = 200
LONGEST_DIMENSION = 64


@dataclass
class RecordVerdicts:
    """Which records still count, and why the others do not."""

    lines: npt.NDArray[np.int64]
    """Line number of each record."""
    counted: Mask
    left_out: npt.NDArray[np.object_]
    """Reason of each record that is left out on purpose, else ''."""
    rejects: list[Reject] = field(default_factory=list)

    @classmethod
    def of(cls, lines: npt.NDArray[np.int64]) -> "RecordVerdicts":
        """All records count until something speaks against them."""
        return cls(lines, np.ones(len(lines), dtype=bool), np.full(len(lines), "", dtype=object))

    def leave_out(self, mask: Mask, reason: str) -> None:
        """Leave records out under a reason, unless they already have a verdict."""
        mask = mask & self.counted
        self.left_out[mask] = reason
        self.counted &= ~mask

    def refuse(self, mask: Mask, rule: str, code: str, column: str | None, value: Callable[[int], str]) -> None:
        """Reject records, unless they already have a verdict; `value` tells the text at fault of a record."""
        for record in np.flatnonzero(mask & self.counted):
            self.rejects.append(reject(rule, int(self.lines[record]), column, code, value(int(record))))
        self.counted &= ~mask

    def unrejected(self) -> npt.NDArray[np.intp]:
        """Records that count or were left out on purpose."""
        return np.flatnonzero(self.counted | (self.left_out != ""))

    def excluded(self) -> dict[str, int]:
        """Records left out, by reason."""
        reasons, counts = np.unique(self.left_out[self.left_out != ""].astype(str), return_counts=True)
        return dict(zip(reasons.tolist(), counts.tolist(), strict=True))

    def supersede(self, keys: npt.NDArray[Any]) -> None:
        """Leave out every counted record whose key comes again in a later counted record."""
        at = np.flatnonzero(self.counted)
        _, last = np.unique(keys[at][::-1], return_index=True)
        repeated = np.ones(len(at), dtype=bool)
        repeated[len(at) - 1 - last] = False
        mask = np.zeros(len(keys), dtype=bool)
        mask[at[repeated]] = True
        self.leave_out(mask, "superseded")


def time_faults(seconds: npt.NDArray[np.int64], now: datetime) -> npt.NDArray[np.object_]:
    """Code of what is impossible about each time in seconds since 1970, else ''."""
    fault = np.full(len(seconds), "", dtype=object)
    fault[seconds < EARLIEST] = "time_too_early"
    fault[seconds > now.timestamp() + AHEAD_S] = "from_the_future"
    return fault


def refuse_times(
    faults: npt.NDArray[np.object_], column: str, value: Callable[[int], str], verdicts: RecordVerdicts
) -> None:
    """Reject records by the fault of their time: TM-04 where it is in the future, else TY-03."""
    for code in sorted(set(faults) - {""}):
        verdicts.refuse(faults == code, "TM-04" if code == "from_the_future" else "TY-03", code, column, value)
