"""The observations of channels of one rhythm as dense arrays (line, region, interval).

A line is what one channel delivers of one measure. The keys that are expected form a grid, so what is missing is a
hole in a bitmap and no join is needed; a rule is asked once about all channels, and what it costs is spread over them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Delivery, Kind, Level, Measure
from data_quality.grid.coded_facts import Chosen, Facts, Indices, Mask, Values
from data_quality.grid.places import Places
from data_quality.grid.placing import Rows, placed
from data_quality.grid.schedule import Schedule

REPORTED = "reported_"
"""Prefix of a measure that is a ratio as its source prints it: kept to compare, never counted."""

FEW = 16
"""Where fewer than one cell in so many counts, or fails to, it is quicker to look for them than to sum all."""


@dataclass(frozen=True)
class Label:
    """What one line of a verdict is about."""

    channel: str
    source: str = ""
    measure: str = ""


@dataclass(frozen=True)
class AuditGrid:
    """Channels of one rhythm over the range: axes line, region, interval; the lines of a source stand together."""

    measures: tuple[Measure, ...]
    """The measure of each line."""
    deliveries: tuple[Delivery, ...]
    source_of: Indices
    """Index into the schedule's senders of the source that delivers each line."""
    places: Places
    at: Indices
    """Index into `places` of each region of the grid; those that one group answers for stand together."""
    schedule: Schedule
    rows: Rows
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
        """Number of lines, regions and intervals."""
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
        """(line, region): whether the region is of the level at which the line's parts add up."""
        grains = np.array([delivery.grain.rank for delivery in self.deliveries], np.int64)
        mask: Mask = grains[:, None] == self.places.level[self.at][None, :]
        return mask

    @cached_property
    def owed(self) -> Mask:
        """(line, region): whether a figure must come every interval."""
        expected = np.array([delivery.expected for delivery in self.deliveries], dtype=np.bool_)
        return self.at_grain & expected[:, None] & self.places.served[self.at][None, :]

    @cached_property
    def rows_by_sender(self) -> Indices:
        """Number of rows of each sender."""
        sender_of = self.rows.sender_of
        times, own = np.bincount(self.rows.kind, minlength=len(sender_of)), sender_of >= 0
        return np.bincount(sender_of[own], times[own], len(self.schedule.senders)).astype(np.int64)

    @cached_property
    def is_ratio(self) -> Mask:
        """By line: whether it is a reported ratio."""
        return np.array([measure.id.startswith(REPORTED) for measure in self.measures], dtype=np.bool_)

    @cached_property
    def sender_labels(self) -> tuple[Label, ...]:
        """A label for each sender."""
        return tuple(Label(sender.channel.id, sender.id) for sender in self.schedule.senders)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """A label for each line."""
        senders = self.sender_labels
        pairs = zip(self.source_of.tolist(), self.measures, strict=True)
        return tuple(Label(senders[at].channel, senders[at].source, one.id) for at, one in pairs)

    def labels_of(self, lines: Indices) -> tuple[Label, ...]:
        """The labels of some lines."""
        return tuple(self.labels[at] for at in lines.tolist())

    @cached_property
    def lines(self) -> dict[str, dict[str, int]]:
        """The lines of each channel by measure."""
        found: dict[str, dict[str, int]] = {}
        for at, label in enumerate(self.labels):
            found.setdefault(label.channel, {})[label.measure] = at
        return found

    def together(self, *measures: str) -> Indices:
        """(measure, channel): lines of the named measures in every channel that delivers them all."""
        found = [[own[one] for one in measures] for own in self.lines.values() if own.keys() >= set(measures)]
        return np.array(found, np.int64).reshape(-1, len(measures)).T

    def alike(self, *measures: str) -> Iterator[tuple[tuple[str, ...], Indices]]:
        """Of the named measures those delivered, and their lines (measure, channel): for each set of them once."""
        found: dict[tuple[str, ...], list[list[int]]] = {}
        for own in self.lines.values():
            delivered = tuple(one for one in measures if one in own)
            found.setdefault(delivered, []).append([own[one] for one in delivered])
        return ((delivered, np.array(lines, np.int64).T) for delivered, lines in found.items())

    def lines_under(self, label: Label) -> tuple[slice, slice, slice]:
        """The lines that a label stands on: its own, those of its source, those of its channel.

        Without a measure those of its source are its own.
        """
        source, channel = (self._spans.get((label.channel, name), slice(0, 0)) for name in (label.source, ""))
        line = self.lines.get(label.channel, {}).get(label.measure, -1)
        own = slice(line, line + 1) if source.start <= line < source.stop else slice(0, 0)
        return own if label.measure else source, source, channel

    @cached_property
    def _spans(self) -> dict[tuple[str, str], slice]:
        """The lines of each channel ('' for the source) and of each of its sources."""
        spans: dict[tuple[str, str], slice] = {}
        edges = np.searchsorted(self.source_of, np.arange(len(self.schedule.senders) + 1)).tolist()
        for sender, first, end in zip(self.schedule.senders, edges, edges[1:], strict=False):
            for key in ((sender.channel.id, sender.id), (sender.channel.id, "")):
                spans[key] = slice(spans[key].start if key in spans else first, end)
        return spans

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], Indices, Indices]:
        """Who answers: codes of the groups, the group of each region, and the first region of each group."""
        found, first, group_of = np.unique(self.places.group[self.at], return_index=True, return_inverse=True)
        return tuple(self.places.codes[at] for at in found), group_of, first

    @cached_property
    def _sizes(self) -> Indices:
        """Number of regions of each group."""
        return np.bincount(self.groups[1])

    def grouped(self, cells: npt.NDArray[np.generic]) -> Indices:
        """(label, group): sums of whole numbers over the regions of each group and all intervals."""
        labels, regions, intervals = cells.shape
        number = np.count_nonzero(cells)
        if cells.dtype == np.bool_ and (cells.size - number) * FEW <= cells.size:
            held: Indices = self._sizes * intervals - self.grouped(np.logical_not(cells))
            return held
        if number * FEW > cells.size:
            flat = cells.reshape(labels, -1)
            sums: Indices = np.add.reduceat(flat, self.groups[2] * intervals, axis=1, dtype=np.int64)
            return sums
        at, (codes, group_of, _) = np.flatnonzero(cells), self.groups
        label, region = np.divmod(at // intervals, regions)
        place, units = label * len(codes) + group_of[region], cells.reshape(-1)[at]
        return np.bincount(place, units, labels * len(codes)).astype(np.int64).reshape(labels, -1)

    def holding(self, rows: Indices | Mask) -> Mask:
        """The cells that hold any of the chosen rows."""
        cells = np.zeros(self.size + 1, np.bool_)
        cells[self.rows.cell[rows]] = True
        return cells[:-1].reshape(self.shape)

    def summed(self, cells: Values, level: Level) -> Values:
        """Sums of cells (…, region, interval) at grain by the region of a level that holds them; other regions 0."""
        holder = self.places.positions(self.at)[self.places.holder[level][self.at]]
        inside = np.argsort(holder, kind="stable")[np.count_nonzero(holder < 0) :]
        found, first = np.unique(holder[inside], return_index=True)
        result = np.zeros(cells.shape)
        if len(found):
            result[..., found, :] = np.add.reduceat(cells[..., inside, :], first, axis=-2)
        return result


def build_grid(catalogue: Catalogue, facts: Facts, places: Places, plan: Schedule) -> AuditGrid:
    """Lay the rows of a schedule's channels out on one grid."""
    lines = [(at, one) for at, sender in enumerate(plan.senders) if sender.source for one in sender.source.delivers]
    chosen = facts.rows_of({sender.channel.id for sender in plan.senders})
    given = facts.place[facts.region.used(chosen)]
    axis = _axis(places, {delivery.grain.rank for _, delivery in lines if delivery.expected}, given)
    measures = tuple(catalogue.measures[delivery.measure] for _, delivery in lines)
    shape = (len(measures), len(axis), len(plan.starts))
    rows = placed(facts, chosen, plan, lines, places.positions(axis)[facts.place], len(axis))
    totals = np.flatnonzero(rows.reported)
    parts = np.flatnonzero(~rows.reported) if len(totals) else slice(None)
    return AuditGrid(
        measures, tuple(delivery for _, delivery in lines), np.array([at for at, _ in lines], np.int64),
        places, axis, plan, rows, *_laid_out(rows, parts, measures, shape), *_laid_out(rows, totals, measures, shape),
    )  # fmt: skip


def _axis(places: Places, grains: set[int], region: Indices) -> Indices:
    """The places that owe a figure or gave one, by the group that answers for them."""
    wanted = np.append(np.isin(places.level, list(grains)) & places.served, False)
    wanted[region] = True
    axis = np.flatnonzero(wanted[:-1])
    return axis[np.argsort(places.group[axis], kind="stable")]


def _laid_out(
    rows: Rows, chosen: Chosen, measures: Sequence[Measure], shape: tuple[int, int, int]
) -> tuple[Values, Indices]:
    """Sum of the chosen rows in each cell (largest, for peaks), and how many they are."""
    cell, value, size = rows.cell[chosen], rows.value[chosen], int(np.prod(shape))
    if not len(cell):
        return np.broadcast_to(0.0, shape), np.broadcast_to(0, shape)
    values: Values = np.bincount(cell, value, size + 1).astype(np.float64, copy=False)
    times = np.bincount(cell, minlength=size + 1)
    several = times[:-1].reshape(shape) > 1
    several[[one.kind is not Kind.PEAK for one in measures]] = False
    if several.any():
        highest = np.flatnonzero(np.append(several, False)[cell])
        values[cell[highest]] = -np.inf
        np.maximum.at(values, cell[highest], value[highest])
    return values[:-1].reshape(shape), times[:-1].reshape(shape)
