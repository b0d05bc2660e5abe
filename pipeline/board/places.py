"""Places as positions in arrays, and how what is counted in one is added to all above it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from config.catalogue import NATION, Catalogue, Level
from pipeline.board.minute_grid import Seen, Values

Indices = npt.NDArray[np.int64]


class Places:
    """Every region by index, and for each the indices of itself and all above it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.codes = tuple(catalogue.regions)
        self.index = {code: at for at, code in enumerate(self.codes)}
        parents = [region.parent for region in catalogue.regions.values()]
        self.parent = np.array([-1 if code is None else self.index[code] for code in parents])
        self.lines = np.full((len(self.codes), len(Level)), -1, dtype=np.int64)
        line = np.arange(len(self.codes))
        for step in range(len(Level)):
            self.lines[:, step] = line
            line = np.where(line >= 0, self.parent[line], -1)
        self.tops = np.array([self.index[NATION], *(self.index[c] for c in catalogue.at_level(Level.PROVINCE))])
        """The nation and the served provinces: the places that have trends and flows."""
        self.top_of = np.full(len(self.codes), -1, dtype=np.int64)
        self.top_of[self.tops] = np.arange(len(self.tops))
        rank = np.array([region.level.rank for region in catalogue.regions.values()])
        served = np.array([region.served for region in catalogue.regions.values()])
        self.reach = {level: served & (rank <= level.rank) for level in Level}
        """By level: the places at which a measure counted at that level has a figure."""
        self._families = tuple(self._families_of((self.lines >= 0).sum(axis=1)))

    def _families_of(self, depth: Indices) -> Iterator[tuple[Indices, Indices, Indices]]:
        """(children, where each parent's begin, parents) of every depth, the deepest first."""
        for level in range(int(depth.max()), 1, -1):
            children = np.flatnonzero(depth == level)
            children = children[np.argsort(self.parent[children], kind="stable")]
            parents, begins = np.unique(self.parent[children], return_index=True)
            yield children, begins, parents

    def add_up(self, cells: Values | Seen, by: np.ufunc) -> None:
        """Add the cells (…, place) of every place to all above it, in place, by np.add, np.maximum or np.logical_or."""
        for children, begins, parents in self._families:
            inside = by.reduceat(cells[..., children], begins, axis=-1)
            cells[..., parents] = by(cells[..., parents], inside)

    def tops_of(self, leaves: npt.NDArray[np.integer]) -> tuple[Indices, Indices]:
        """(row numbers, positions among the tops): each leaf's row for every top that holds it."""
        tops = np.where(self.lines[leaves] >= 0, self.top_of[self.lines[leaves]], -1)
        rows, steps = np.nonzero(tops >= 0)
        return rows, tops[rows, steps]
