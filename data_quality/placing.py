"""Where each observation has its place in a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.catalogue import Delivery
from data_quality.facts import Chosen, Codes, Facts, Indices, Mask, Values
from data_quality.schedule import Schedule

Lines = Sequence[tuple[int, Delivery]]
"""What each line is: index of its sender, and the delivery."""


@dataclass(frozen=True)
class Rows:
    """Observations with the place of each in a grid; -1 where it has none."""

    line: Indices
    sender: Indices
    """Index into the schedule's senders; of a measure that its channel does not deliver, the one nobody knows."""
    region: Indices
    cell: Indices
    """Place in the flat grid; one beyond its last cell without a known line, region or interval."""
    dimension: Codes
    """Index into `dimension_keys`."""
    dimension_keys: tuple[str, ...]
    value: Values
    reported: Mask
    begun_s: Indices
    """Seconds from the start of the interval in which it lies to its own start."""
    ahead_s: Indices
    """Seconds from when it was received to its start; above 0 it came before it began."""


def placed(facts: Facts, chosen: Chosen, plan: Schedule, lines: Lines, region: Indices, regions: int) -> Rows:
    """The chosen rows with their places; `region` is each row's place on the region axis, so long."""
    pair = facts.channel.codes[chosen] * np.int64(len(facts.measure.names) + 1) + facts.measure.codes[chosen] + 1
    line_of, sender_of = _tables(facts, plan, lines)
    line, start = line_of[pair], facts.start[chosen]
    since, intervals = start - plan.starts[0], len(plan.starts)
    step = since // plan.step
    inside = (line >= 0) & (region >= 0) & (step >= 0) & (step < intervals)
    cell = np.where(inside, (line * regions + region) * intervals + step, len(lines) * regions * intervals)
    return Rows(
        line, sender_of[pair], region, cell, facts.dimension.codes[chosen], facts.dimension.names,
        facts.value[chosen], facts.reported[chosen], since - step * plan.step, start - facts.received[chosen],
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
