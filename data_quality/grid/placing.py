"""Where each observation has its place in a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.catalogue import Delivery
from data_quality.grid.coded_facts import Chosen, Codes, Facts, Indices, Mask, Values
from data_quality.grid.schedule import Schedule

Lines = Sequence[tuple[int, Delivery]]
"""What each line is: index of its sender, and the delivery."""


@dataclass(frozen=True)
class Rows:
    """Observations with the place of each in a grid; -1 where it has none."""

    kind: Indices
    """Index into `line_of` and `sender_of`: which measure of which channel it is."""
    line_of: Indices
    sender_of: Indices
    """Index into the schedule's senders; of a measure that its channel does not deliver, the one nobody knows."""
    cell: Indices
    """Place in the flat grid; one beyond its last cell without a known line, region or interval."""
    lost: Indices
    """Numbers of the rows without a known line or region."""
    dimension: Codes
    """Index into `dimension_keys`."""
    dimension_keys: tuple[str, ...]
    value: Values
    reported: Mask
    astray: Indices
    """Numbers of the rows that do not start where an interval starts."""
    ahead_s: Indices
    """Seconds from when it was received to its start; above 0 it came before it began."""

    def line(self, rows: Indices) -> Indices:
        """Line of each of some rows, by their numbers; -1 where it has none."""
        return self.line_of[self.kind[rows]]

    def sender(self, rows: Indices) -> Indices:
        """Sender of each of some rows, by their numbers."""
        return self.sender_of[self.kind[rows]]

    def on(self, lines: Mask) -> Indices:
        """Numbers of the rows that stand on the chosen lines."""
        return np.flatnonzero(np.append(lines, False)[self.line_of][self.kind])


def placed(facts: Facts, chosen: Chosen, plan: Schedule, lines: Lines, position: Indices, regions: int) -> Rows:
    """The chosen rows with their places; `position` is the place on the region axis, so long, of each region code.

    What is unknown of a row counts as the whole grid, so that no sum with it lies inside.
    """
    kind = facts.channel.codes[chosen] * np.int64(len(facts.measure.names) + 1) + facts.measure.codes[chosen] + 1
    line_of, sender_of = _tables(facts, plan, lines)
    region, start, intervals = facts.region.codes[chosen], facts.start[chosen], len(plan.starts)
    interval, begins = plan.locate(start)
    size = len(lines) * regions * intervals
    cell = np.where(line_of < 0, size, line_of * regions * intervals)[kind]
    cell += np.where(position < 0, size, position * intervals)[region]
    cell += interval
    outside = np.flatnonzero((cell >= size) | (interval < 0) | (interval >= intervals))
    cell[outside] = size
    return Rows(
        kind, line_of, sender_of, cell, outside[(line_of[kind[outside]] < 0) | (position[region[outside]] < 0)],
        facts.dimension.codes[chosen], facts.dimension.names, facts.value[chosen], facts.reported[chosen],
        np.flatnonzero(~begins), start - facts.received[chosen],
    )  # fmt: skip


def _tables(facts: Facts, plan: Schedule, lines: Lines) -> tuple[Indices, Indices]:
    """Line and sender by the codes of channel and measure, flat; the first measure is one without a name."""
    channel_at = {name: at for at, name in enumerate(facts.channel.names)}
    measure_at = {name: at for at, name in enumerate(facts.measure.names, start=1)}
    line_of = np.full((len(channel_at), len(measure_at) + 1), -1, np.int64)
    sender_of = line_of.copy()
    for at, sender in enumerate(plan.senders):
        if sender.source is None and sender.channel.id in channel_at:
            sender_of[channel_at[sender.channel.id]] = at
    for line, (at, delivery) in enumerate(lines):
        own = channel_at.get(plan.senders[at].channel.id), measure_at.get(delivery.measure)
        if None not in own:
            line_of[own], sender_of[own] = line, at
    return line_of.ravel(), sender_of.ravel()
