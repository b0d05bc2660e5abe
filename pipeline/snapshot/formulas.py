"""Every metric at every place at once, and channels joined: numerators and denominators add, then divide.

A metric of several channels stands on those that deliver every measure of its formula; a channel
that knows only half of it would bend the ratio.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Kind
from metrics.arithmetic import Figures, Fractions, divided, fractions, joined
from metrics.formula import Floats, metric_table

Seen = npt.NDArray[np.bool_]


class Formulas:
    """The metrics of a catalogue, ready to be worked out over its measures."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.table = metric_table(catalogue.metrics, tuple(catalogue.measures))
        self.metrics = self.table.ids
        measures = catalogue.measures
        self.additive = np.array([measure.kind is Kind.ADDITIVE for measure in measures.values()])
        self.peaks = np.array(
            [
                any(measures[name].kind is Kind.PEAK for name in metric.formula.measures)
                for metric in catalogue.metrics.values()
            ]
        )

    def fractions(self, sums: Floats, seen: Seen, delivered: Seen) -> Fractions:
        """What the figures (metric, …, place) of one channel are made of; all arguments by (measure, …, place).

        `delivered`: the channel counts this measure at places of this level. An additive measure that is
        delivered and was not seen is a zero that was read; a level or a peak not seen is a gap.
        """
        read = delivered & (seen | self.additive.reshape(-1, *[1] * (sums.ndim - 1)))
        return fractions(self.table, sums, read)

    def divide(self, parts: Fractions) -> Figures:
        """Divide last."""
        return divided(self.table, parts)

    def join(self, parts: Sequence[Fractions]) -> Fractions:
        """Channels as one."""
        return joined(parts, self.peaks)
