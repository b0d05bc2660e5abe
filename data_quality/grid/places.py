"""The catalogue's regions as arrays, so that a rule can group thousands of cells at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Level

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Regions in the order of the catalogue; arrays are as long as `codes`."""

    codes: tuple[str, ...]
    index: dict[str, int]
    level: Indices
    """Rank of each region's level, `Level.rank`."""
    served: Mask
    holder: dict[Level, Indices]
    """Index of the region at a level that holds each region (itself included), -1 where there is none."""

    @cached_property
    def group(self) -> Indices:
        """Who answers for a region: its province; above provinces the region itself."""
        province = self.holder[Level.PROVINCE]
        return np.where(province < 0, np.arange(len(self.codes)), province)

    def positions(self, axis: Indices) -> Indices:
        """By index: the place of a region on an axis of some of them, -1 where it is not on it, and at the end."""
        position = np.full(len(self.codes) + 1, -1, np.int64)
        position[axis] = np.arange(len(axis))
        return position


def arrange(catalogue: Catalogue) -> Places:
    """The regions of a catalogue as arrays."""
    codes = tuple(catalogue.regions)
    index = {code: at for at, code in enumerate(codes)}
    holder = {level: np.full(len(codes), -1, np.int64) for level in Level}
    for at, region in enumerate(catalogue.regions.values()):
        above: str | None = region.code
        while above is not None:
            holder[catalogue.regions[above].level][at] = index[above]
            above = catalogue.regions[above].parent
    regions = catalogue.regions.values()
    level = np.array([region.level.rank for region in regions], np.int64)
    return Places(codes, index, level, np.array([region.served for region in regions], dtype=np.bool_), holder)
