"""What failed in a verdict, by source and province, with the cells behind it: worked out for all of them at once."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_quality.registry import Counts, Mask
from data_quality.tally import Tally

Numbers = npt.NDArray[np.int64]
Members = dict[tuple[str, str, int], list[int]]
"""The failing labels of each (channel, source, group), in the order of the labels."""


class Failure(NamedTuple):
    """What failed of one source in one province, or where nothing has a place."""

    channel: str
    source: str
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
    """All that failed, in the order of the labels."""

    found: list[Failure]
    cells: Numbers
    """Label, region and interval of the first bad cells of each."""


def failures(tally: Tally, most: int) -> Failures:
    """What failed, with so many cells of each at most."""
    if tally.fails is None or tally.bad_cells is None:
        return Failures([], np.zeros((3, 0), np.int64))
    members = _members(tally, tally.fails)
    number = np.full(tally.fails.shape, -1, np.int64)
    for at, ((*_, group), labels) in enumerate(members.items()):
        number[labels, group] = at
    owner, cells = _cells_behind(tally, tally.bad_cells, number)
    starts = np.searchsorted(owner, np.arange(len(members)))
    kept = np.arange(len(owner)) - starts[owner] < most
    edges = np.searchsorted(owner[kept], np.arange(len(members) + 1)).tolist()
    counted = (
        *(_summed(units, number, len(members)) for units in (tally.bad, tally.judged, tally.blocked)),
        _places(owner, cells[1], (len(members), tally.bad_cells.shape[1])),
        np.minimum.reduceat(cells[2], starts),
        np.maximum.reduceat(cells[2], starts),
    )
    told = zip(members.items(), *(numbers.tolist() for numbers in counted), strict=True)
    found = [
        Failure(
            channel, source, group, labels, bad, judged, blocked, places, first, last, slice(edges[at], edges[at + 1])
        )
        for at, (((channel, source, group), labels), bad, judged, blocked, places, first, last) in enumerate(told)
    ]
    return Failures(found, cells[:, kept])


def _members(tally: Tally, fails: Mask) -> Members:
    members: Members = {}
    for label, group in zip(*(axis.tolist() for axis in np.nonzero(fails)), strict=True):
        about = tally.verdict.labels[label]
        members.setdefault((about.channel, about.source, group), []).append(label)
    return members


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
