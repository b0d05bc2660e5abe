"""Every metric at every place at once, and channels joined: numerators and denominators add, then divide.

A metric of several channels stands on those that deliver every measure of its formula; a channel
that knows only half of it would bend the ratio.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from config.catalogue import Catalogue, Kind
from metrics.arithmetic import Figures, Halves, divided, halves
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

    def evaluate(self, sums: Floats, seen: Seen, delivered: Seen) -> Figures:
        """Figures (metric, …, place) of one channel from its sums; all arguments by (measure, …, place)."""
        return self.divide(self.halves(sums, seen, delivered))

    def halves(self, sums: Floats, seen: Seen, delivered: Seen) -> Halves:
        """What these figures are made of.

        `delivered`: the channel counts this measure at places of this level. An additive measure that is
        delivered and was not seen is a zero that was read; a level or a peak not seen is a gap.
        """
        known = delivered & (seen | self.additive.reshape(-1, *[1] * (sums.ndim - 1)))
        return halves(self.table, np.where(known, sums, np.nan))

    def divide(self, parts: Halves) -> Figures:
        """Divide last."""
        return divided(self.table, parts)

    def join(self, parts: Sequence[Halves | Figures]) -> Figures:
        """Groups of channels as one: sums, and for peaks the largest; what only some have stays as it is."""
        numerators = np.stack([part.numerator for part in parts])
        numerator = _summed(numerators)
        numerator[self.peaks] = np.fmax.reduce(numerators[:, self.peaks])
        return self.divide(Halves(numerator, _summed(np.stack([part.denominator for part in parts]))))


def _summed(parts: Floats) -> Floats:
    """Sum over the first axis of what is there; NaN where nothing is."""
    missing = np.isnan(parts)
    summed: Floats = np.where(missing, 0.0, parts).sum(axis=0)
    summed[missing.all(axis=0)] = np.nan
    return summed
