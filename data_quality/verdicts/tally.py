"""A verdict counted: units by what it is about and by the province that answers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from data_quality.registry import Counts, Mask, Sight, Verdict

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """A verdict counted by label and by the province (or '') that answers."""

    sight: Sight
    verdict: Verdict

    @cached_property
    def mask(self) -> Mask | None:
        """Where input had failed before; None for nowhere."""
        blocked = self.verdict.blocked
        if blocked is None or not blocked.any():
            return None
        mask = blocked & np.asarray(self.verdict.judged, np.bool_)
        return mask if mask.any() else None

    @cached_property
    def bad_cells(self) -> Counts | None:
        """Bad units by cell, blocked ones left out; None for none."""
        bad = self.verdict.bad
        if not bad.any():
            return None
        bad = np.minimum(bad, self.verdict.judged)
        return bad if self.mask is None else bad * ~self.mask

    @property
    def placeless(self) -> bool:
        """Whether the verdict is about something that has no place."""
        return self.verdict.placeless

    @property
    def codes(self) -> tuple[str, ...]:
        """Region code of every group, '' for what has no place."""
        return ("",) if self.placeless else self.sight.grid.groups[0]

    @cached_property
    def all(self) -> Numbers:
        """Units that should have been looked at, (label, group)."""
        return self._grouped(self.verdict.judged)

    @cached_property
    def blocked(self) -> Numbers | None:
        """Units that could not be judged, (label, group); None for none."""
        return None if self.mask is None else self._grouped(self.verdict.judged * self.mask)

    @cached_property
    def judged(self) -> Numbers:
        """Units looked at, (label, group)."""
        return self.all if self.blocked is None else self.all - self.blocked

    @cached_property
    def bad(self) -> Numbers | None:
        """Bad units, (label, group); None for none."""
        return None if self.bad_cells is None else self._grouped(self.bad_cells)

    @cached_property
    def fails(self) -> Mask | None:
        """(label, group): more bad units than are allowed; None for nowhere."""
        if self.bad is None:
            return None
        allowed = np.broadcast_to(self.verdict.allowed, len(self.verdict.labels))[:, None]
        over = np.asarray(self.bad > allowed * self.judged + 1e-9)
        return over if over.any() else None

    def _grouped(self, cells: Counts) -> Numbers:
        return cells.sum(axis=2, dtype=np.int64) if self.placeless else self.sight.grid.grouped(cells)
