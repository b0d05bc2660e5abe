"""One channel's observations as dense arrays (measure, region, interval).

The keys that are expected form a grid, so what is missing is a hole in a bitmap and no join is needed; a rule costs
some microseconds where a query over rows would cost tens of milliseconds.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Channel, Delivery, Kind, Level, Measure
from data_quality.evidence import Evidence
from data_quality.places import RANK, Places
from data_quality.schedule import Schedule, epoch_seconds

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
REPORTED = "reported_"
"""Prefix of a measure that is a ratio as its source prints it: kept to compare, never counted."""


@dataclass(frozen=True)
class Coded:
    """A column of names as integer codes into its distinct names; -1 is no name."""

    codes: Indices
    names: tuple[str, ...]

    def through(self, index: dict[str, int], rows: Indices) -> Indices:
        """The chosen rows' places in `index`, -1 for a name that is not in it."""
        table = np.array([*(index.get(name, -1) for name in self.names), -1], np.int64)
        found: Indices = table[self.codes[rows]]
        return found

    def only(self, rows: Indices) -> "Coded":
        """The chosen rows, coded by the names that they use."""
        codes = self.codes[rows]
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(self.names) + 1)[1:])
        table = np.full(len(self.names) + 1, -1, np.int64)
        table[used] = np.arange(len(used))
        return Coded(table[codes], tuple(self.names[at] for at in used))

    def rows_of(self, name: str) -> Indices:
        """The rows that hold a name."""
        return np.flatnonzero(self.codes == self.names.index(name)) if name in self.names else np.zeros(0, np.int64)


def coded(column: pd.Series) -> Coded:
    """A text or category column as codes."""
    as_category = column.astype("category").cat
    return Coded(as_category.codes.to_numpy(dtype=np.int64), tuple(as_category.categories))


@dataclass(frozen=True)
class Facts:
    """The observations of all channels, coded once."""

    channel: Coded
    measure: Coded
    region: Coded
    dimension: Coded
    start: Indices
    received: Indices
    value: Values
    reported: Mask


def code_facts(observations: pd.DataFrame) -> Facts:
    """Code the columns of `Evidence.observations`."""
    return Facts(
        coded(observations["channel"]),
        coded(observations["measure"]),
        coded(observations["region"]),
        coded(observations["dimension"]),
        epoch_seconds(observations["start"]),
        epoch_seconds(observations["received_at"]),
        observations["value"].to_numpy(np.float64),
        observations["reported"].to_numpy(np.bool_),
    )


@dataclass(frozen=True)
class Rows:
    """One channel's observations, with the place of each in the grid; -1 where it has none."""

    measure: Indices
    region: Indices
    step: Indices
    dimension: Indices
    value: Values
    reported: Mask
    start: Indices
    received: Indices

    @cached_property
    def placed(self) -> Mask:
        """Rows of a known measure, a known region and an interval of the range."""
        return (self.measure >= 0) & (self.region >= 0) & (self.step >= 0)


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
    """Index into `places` of each region of the grid."""
    schedule: Schedule
    rows: Rows
    dimension_keys: tuple[str, ...]
    values: Values
    """Sum of the parts (largest, for a peak); 0 where there is no row."""
    present: Mask
    """Where there is a part."""
    totals: Values
    """Reported totals; 0 where there is none."""
    totals_present: Mask

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of measures, regions and intervals."""
        return (len(self.measures), len(self.at), len(self.schedule.starts))

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
    def is_ratio(self) -> Mask:
        """By measure: whether it is a reported ratio."""
        return np.array([measure.id.startswith(REPORTED) for measure in self.measures], dtype=np.bool_)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], Indices, Values]:
        """Who answers: codes of the groups, the group of each region, and that as a 0-1 matrix (region, group)."""
        found, group_of = np.unique(self.places.group[self.at], return_inverse=True)
        belongs = np.zeros((len(self.at), len(found)))
        belongs[np.arange(len(self.at)), group_of] = 1.0
        return tuple(self.places.codes[at] for at in found), group_of, belongs

    def of(self, *measures: str) -> Indices:
        """Indices of the measures that the channel delivers, of those named."""
        return np.array([at for at, measure in enumerate(self.measures) if measure.id in measures], np.int64)

    def scatter(self, rows: Mask) -> Indices:
        """Number of the chosen rows in each cell."""
        if not rows.any():
            return np.zeros(self.shape, np.int64)
        chosen = rows & self.rows.placed
        cells = np.bincount(self._cells(chosen), minlength=int(np.prod(self.shape)))
        return cells.reshape(self.shape).astype(np.int64)

    def summed(self, cells: Values, level: Level) -> Values:
        """Sums of cells at grain by the region of a level that holds them; other regions 0."""
        holder = self._position[self.places.holder[level][self.at]]
        inside = np.flatnonzero(holder >= 0)
        result = np.zeros((len(self.at), *cells.shape[:1], *cells.shape[2:]))
        np.add.at(result, holder[inside], np.moveaxis(cells, 1, 0)[inside])
        return np.moveaxis(result, 0, 1)

    @cached_property
    def _position(self) -> Indices:
        """Place of every catalogue region on the region axis, -1 where it is not on it (and for index -1)."""
        position = np.full(len(self.places.codes) + 1, -1, np.int64)
        position[self.at] = np.arange(len(self.at))
        return position

    def _cells(self, chosen: Mask) -> Indices:
        rows, (_, regions, steps) = self.rows, self.shape
        cells: Indices = (rows.measure[chosen] * regions + rows.region[chosen]) * steps + rows.step[chosen]
        return cells


def build_grid(evidence: Evidence, facts: Facts, places: Places, channel: Channel, plan: Schedule) -> Grid:
    """Lay one channel's rows out on its grid."""
    deliveries = [(at, delivery) for at, source in enumerate(channel.sources) for delivery in source.delivers]
    chosen = facts.channel.rows_of(channel.id)
    measure = facts.measure.through({delivery.measure: k for k, (_, delivery) in enumerate(deliveries)}, chosen)
    region = facts.region.through(places.index, chosen)
    grains = {RANK[delivery.grain] for _, delivery in deliveries if delivery.expected}
    owed = np.isin(places.level, list(grains)) & places.served
    owed[region[region >= 0]] = True
    axis = np.flatnonzero(owed)
    position = np.full(len(places.codes) + 1, -1, np.int64)
    position[axis] = np.arange(len(axis))
    start = facts.start[chosen]
    step = np.floor_divide(start - (plan.starts[0] if len(plan.starts) else 0), plan.step)
    step = np.where((step >= 0) & (step < len(plan.starts)), step, -1)
    dimension = facts.dimension.only(chosen)
    rows = Rows(
        measure, position[region], step, dimension.codes, facts.value[chosen], facts.reported[chosen],
        start, facts.received[chosen],
    )  # fmt: skip
    measures = tuple(evidence.catalogue.measures[delivery.measure] for _, delivery in deliveries)
    peak = np.array([one.kind is Kind.PEAK for one in measures], dtype=np.bool_)
    shape = (len(measures), len(axis), len(plan.starts))
    values, present = _laid_out(rows, rows.placed & ~rows.reported, peak, shape)
    totals, totals_present = _laid_out(rows, rows.placed & rows.reported, peak, shape)
    return Grid(
        channel, measures, tuple(delivery for _, delivery in deliveries), np.array([at for at, _ in deliveries]),
        places, axis, plan, rows, dimension.names, values, present, totals, totals_present,
    )  # fmt: skip


def _laid_out(rows: Rows, chosen: Mask, peak: Mask, shape: tuple[int, int, int]) -> tuple[Values, Mask]:
    """Sum of the chosen rows in each cell (largest, for peaks), and where there is any."""
    size = int(np.prod(shape))
    measure, value = rows.measure[chosen], rows.value[chosen]
    cells = (measure * shape[1] + rows.region[chosen]) * shape[2] + rows.step[chosen]
    values = np.bincount(cells, weights=value, minlength=size).astype(np.float64)
    present = np.bincount(cells, minlength=size) > 0
    highest = peak[measure] if len(measure) else np.zeros(0, np.bool_)
    if highest.any():
        values[cells[highest]] = -np.inf
        np.maximum.at(values, cells[highest], value[highest])
    return values.reshape(shape), present.reshape(shape)
