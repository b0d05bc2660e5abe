"""One channel's observations as dense arrays (measure, region, interval).

The keys that are expected form a grid, so what is missing is a hole in a bitmap and no join is needed; a rule costs
some microseconds where a query over rows would cost tens of milliseconds.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Channel, Delivery, Kind, Level, Measure
from data_quality.facts import Facts, Indices, Mask, Values
from data_quality.places import RANK, Places
from data_quality.schedule import Schedule

REPORTED = "reported_"
"""Prefix of a measure that is a ratio as its source prints it: kept to compare, never counted."""


@dataclass(frozen=True)
class Label:
    """What one line of a verdict is about."""

    source: str
    measure: str = ""


@dataclass(frozen=True)
class Rows:
    """One channel's observations, with the place of each in the grid; -1 where it has none."""

    measure: Indices
    region: Indices
    cell: Indices
    """Place in the flat grid; one beyond its last cell without a known measure, region or interval."""
    dimension: Indices
    value: Values
    reported: Mask
    start: Indices
    received: Indices


@dataclass(frozen=True)
class Grid:
    """One channel over the range: axes measure, region, interval."""

    channel: Channel
    measures: tuple[Measure, ...]
    deliveries: tuple[Delivery, ...]
    source_of: Indices
    """Index into `channel.sources` of the source that delivers each measure."""
    places: Places
    at: Indices
    """Index into `places` of each region of the grid; those that one group answers for stand together."""
    schedule: Schedule
    rows: Rows
    dimension_keys: tuple[str, ...]
    values: Values
    """Sum of the parts (largest, for a peak); 0 where there is no row."""
    parts: Indices
    """Number of the parts."""
    totals: Values
    """Reported totals; 0 where there is none."""
    totals_given: Indices
    """Number of the reported totals; one, unless it was said twice."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of measures, regions and intervals."""
        return (len(self.measures), len(self.at), len(self.schedule.starts))

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.values.size

    @cached_property
    def present(self) -> Mask:
        """Where there is a part."""
        return self.parts > 0

    @cached_property
    def totals_present(self) -> Mask:
        """Where there is a reported total."""
        return self.totals_given > 0

    @cached_property
    def filled(self) -> Mask:
        """Where there is a part or a reported total."""
        return self.present | self.totals_present

    @cached_property
    def at_grain(self) -> Mask:
        """(measure, region): whether the region is of the level at which the measure's parts add up."""
        grains = np.array([RANK[delivery.grain] for delivery in self.deliveries], np.int64)
        mask: Mask = grains[:, None] == self.places.level[self.at][None, :]
        return mask

    @cached_property
    def owed(self) -> Mask:
        """(measure, region): whether a figure must come every interval."""
        expected = np.array([delivery.expected for delivery in self.deliveries], dtype=np.bool_)
        return self.at_grain & expected[:, None] & self.places.served[self.at][None, :]

    @cached_property
    def rows_by_source(self) -> Indices:
        """Number of rows of each source, then of those whose measure nobody delivers."""
        by_measure = np.bincount(self.rows.measure + 1, minlength=len(self.measures) + 1)
        sources = len(self.channel.sources)
        of_source = np.bincount(self.source_of, by_measure[1:], sources).astype(np.int64)
        return np.append(of_source, by_measure[0])

    @cached_property
    def is_ratio(self) -> Mask:
        """By measure: whether it is a reported ratio."""
        return np.array([measure.id.startswith(REPORTED) for measure in self.measures], dtype=np.bool_)

    @cached_property
    def source_labels(self) -> tuple[Label, ...]:
        """A label for each source."""
        return tuple(Label(source.id) for source in self.channel.sources)

    @cached_property
    def measure_labels(self) -> tuple[Label, ...]:
        """A label for each measure."""
        pairs = zip(self.source_of, self.measures, strict=True)
        return tuple(Label(self.channel.sources[at].id, measure.id) for at, measure in pairs)

    @cached_property
    def delivered(self) -> dict[str, list[int]]:
        """Indices of the measures that each source delivers."""
        sources = enumerate(self.channel.sources)
        return {source.id: np.flatnonzero(self.source_of == at).tolist() for at, source in sources}

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], Indices, Indices]:
        """Who answers: codes of the groups, the group of each region, and the first region of each group."""
        found, first, group_of = np.unique(self.places.group[self.at], return_index=True, return_inverse=True)
        return tuple(self.places.codes[at] for at in found), group_of, first

    def grouped(self, cells: npt.NDArray[np.generic]) -> Indices:
        """(…, group): sums of whole numbers over the regions of each group and all intervals."""
        flat = cells.reshape(len(cells), -1)
        sums: Indices = np.add.reduceat(flat, self.groups[2] * cells.shape[2], axis=1, dtype=np.int64)
        return sums

    def of(self, *measures: str) -> Indices:
        """Indices of the measures that the channel delivers, of those named."""
        return np.array([at for at, measure in enumerate(self.measures) if measure.id in measures], np.int64)

    def scatter(self, rows: Mask | Indices) -> Indices:
        """Number of the chosen rows in each cell."""
        cells = self.rows.cell[rows]
        if not len(cells):
            return np.zeros(self.shape, np.int64)
        return np.bincount(cells, minlength=self.size + 1)[: self.size].reshape(self.shape)

    def summed(self, cells: Values, level: Level) -> Values:
        """Sums of cells at grain by the region of a level that holds them; other regions 0."""
        holder = self._position[self.places.holder[level][self.at]]
        inside = np.argsort(holder, kind="stable")[np.count_nonzero(holder < 0) :]
        found, first = np.unique(holder[inside], return_index=True)
        result = np.zeros(cells.shape)
        if len(found):
            result[:, found] = np.add.reduceat(cells[:, inside], first, axis=1)
        return result

    @cached_property
    def _position(self) -> Indices:
        """Place of every catalogue region on the region axis, -1 where it is not on it (and for index -1)."""
        position = np.full(len(self.places.codes) + 1, -1, np.int64)
        position[self.at] = np.arange(len(self.at))
        return position


def build_grid(catalogue: Catalogue, facts: Facts, places: Places, channel: Channel, plan: Schedule) -> Grid:
    """Lay one channel's rows out on its grid."""
    deliveries = [(at, delivery) for at, source in enumerate(channel.sources) for delivery in source.delivers]
    chosen = facts.rows_of.get(channel.id, slice(0))
    region, start = facts.region[chosen], facts.start[chosen]
    axis = _axis(places, {RANK[delivery.grain] for _, delivery in deliveries if delivery.expected}, region)
    position = np.full(len(places.codes) + 1, -1, np.int64)
    position[axis] = np.arange(len(axis))
    measures = tuple(catalogue.measures[delivery.measure] for _, delivery in deliveries)
    shape = (len(measures), len(axis), len(plan.starts))
    measure = facts.measure.through({one.id: at for at, one in enumerate(measures)}, chosen)
    dimension, keys = facts.dimension.only(chosen)
    place = position[region]
    rows = Rows(
        measure, place, _cells(measure, place, (start - plan.starts[0]) // plan.step, shape), dimension,
        facts.value[chosen], facts.reported[chosen], start, facts.received[chosen],
    )  # fmt: skip
    peak = np.array([*(one.kind is Kind.PEAK for one in measures), False])
    return Grid(
        channel, measures, tuple(delivery for _, delivery in deliveries), np.array([at for at, _ in deliveries]),
        places, axis, plan, rows, keys,
        *_laid_out(rows, ~rows.reported, peak, shape), *_laid_out(rows, rows.reported, peak, shape),
    )  # fmt: skip


def _axis(places: Places, grains: set[int], region: Indices) -> Indices:
    """The places that owe a figure or gave one, by the group that answers for them."""
    wanted = np.append(np.isin(places.level, list(grains)) & places.served, False)
    wanted[region] = True
    axis = np.flatnonzero(wanted[:-1])
    return axis[np.argsort(places.group[axis], kind="stable")]


def _cells(measure: Indices, region: Indices, step: Indices, shape: tuple[int, int, int]) -> Indices:
    """The place of each row in a flat grid of a shape, one beyond its last where it has none."""
    inside = (measure >= 0) & (region >= 0) & (step >= 0) & (step < shape[2])
    return np.where(inside, (measure * shape[1] + region) * shape[2] + step, int(np.prod(shape)))


def _laid_out(rows: Rows, chosen: Mask, peak: Mask, shape: tuple[int, int, int]) -> tuple[Values, Indices]:
    """Sum of the chosen rows in each cell (largest, for peaks), and how many they are."""
    size = int(np.prod(shape))
    if not chosen.any():
        return np.zeros(shape), np.zeros(shape, np.int64)
    cell, value = (rows.cell, rows.value) if chosen.all() else (rows.cell[chosen], rows.value[chosen])
    values: Values = np.bincount(cell, value, size + 1).astype(np.float64, copy=False)
    if peak.any():
        highest = np.flatnonzero(peak[rows.measure] & chosen)
        values[rows.cell[highest]] = -np.inf
        np.maximum.at(values, rows.cell[highest], rows.value[highest])
    return values[:size].reshape(shape), np.bincount(cell, minlength=size + 1)[:size].reshape(shape)
