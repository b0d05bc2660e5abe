"""What failed in a verdict, by source and province, with the cells behind it: worked out for all of them at once."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_quality.registry import Counts, Mask
from data_quality.verdicts.tally import Tally

Numbers = npt.NDArray[np.int64]


class Failure(NamedTuple):
    """What failed of one source in one province, or where nothing has a place."""

    group: int
    labels: list[int]
    """Those of the verdict's labels that failed, in order."""
    bad: int
    judged: int
    blocked: int
    places: int
    """Number of regions that hold a bad cell."""
    first: int
    """The first interval that holds one."""
    last: int
    cells: slice
    """Where its cells are in `Failures.cells`."""


@dataclass(frozen=True)
class Failures:
    """All that failed, in the order of the sources and their provinces."""

    found: list[Failure]
    cells: Numbers
    """Label, region and interval of the first bad cells of each."""


def failures(tally: Tally, most: int) -> Failures:
    """What failed, with so many cells of each at most."""
    if tally.fails is None or tally.bad_cells is None:
        return Failures([], np.zeros((3, 0), np.int64))
    number, groups, labels = _members(tally, tally.fails)
    owner, cells = _cells_behind(tally, tally.bad_cells, number)
    starts = np.searchsorted(owner, np.arange(len(labels)))
    kept = np.arange(len(owner)) - starts[owner] < most
    counted = (
        *(_summed(units, number, len(labels)) for units in (tally.bad, tally.judged, tally.blocked)),
        _places(owner, cells[1], (len(labels), tally.bad_cells.shape[1])),
        np.minimum.reduceat(cells[2], starts),
        np.maximum.reduceat(cells[2], starts),
    )
    shown = _slices(owner[kept], len(labels))
    told = zip(groups, labels, *(numbers.tolist() for numbers in counted), shown, strict=True)
    return Failures([Failure(*one) for one in told], cells[:, kept])


def _members(tally: Tally, fails: Mask) -> tuple[Numbers, list[int], list[list[int]]]:
    """Number of the failure that each (label, group) is part of, -1 for none; then group and labels of each failure."""
    sources: dict[tuple[str, str], int] = {}
    source_of = np.zeros(len(fails), np.int64)
    for at in np.flatnonzero(fails.any(axis=1)).tolist():
        about = tally.verdict.labels[at]
        source_of[at] = sources.setdefault((about.channel, about.source), len(sources))
    label, group = np.nonzero(fails)
    found, own = np.unique(source_of[label] * fails.shape[1] + group, return_inverse=True)
    number = np.full(fails.shape, -1, np.int64)
    number[label, group] = own
    order = np.argsort(own, kind="stable")
    labels = label[order].tolist()
    return number, (found % fails.shape[1]).tolist(), [labels[one] for one in _slices(own[order], len(found))]


def _slices(owner: Numbers, size: int) -> list[slice]:
    """Where each owner, ascending, has its own."""
    edges = np.searchsorted(owner, np.arange(size + 1)).tolist()
    return [slice(*both) for both in pairwise(edges)]


def _cells_behind(tally: Tally, bad: Counts, number: Numbers) -> tuple[Numbers, Numbers]:
    """The failure that each bad cell belongs to, ascending, and its label, region and interval."""
    cells = np.stack(np.unravel_index(np.flatnonzero(bad), bad.shape))
    owner = number[cells[0], 0 if tally.placeless else tally.sight.grid.groups[1][cells[1]]]
    order = np.argsort(owner, kind="stable")[np.count_nonzero(owner < 0) :]
    return owner[order], cells[:, order]


def _summed(units: Numbers | None, number: Numbers, size: int) -> Numbers:
    """Units (label, group) of each failure."""
    if units is None:
        return np.zeros(size, np.int64)
    own = number >= 0
    return np.bincount(number[own], units[own], size).astype(np.int64)


def _places(owner: Numbers, region: Numbers, shape: tuple[int, int]) -> Numbers:
    """Number of regions that hold a cell of each failure."""
    held = np.zeros(shape, np.bool_)
    held[owner, region] = True
    places: Numbers = held.sum(axis=1)
    return places
