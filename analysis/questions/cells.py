"""From sums to figures, by the same arithmetic as on the screens: channels joined by their sums, divided last.

A metric of several channels stands, at each place, on those that were read whole there. Where a channel was read, an
additive measure that it counts and that has no row is a zero; a level or a peak without a row is a gap.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.questions.checking import BELOW, Checked
from analysis.questions.question import CHANNEL
from analysis.questions.sums import Sums
from config.catalogue import Catalogue, Kind, Level, Sketch
from metrics.arithmetic import Figure, Figures, Fractions, divided, fractions, joined
from metrics.formula import FormulaTable, formula_table
from metrics.sketches import sketch_figure

Mask = npt.NDArray[np.bool_]
RANKS = {level: rank for rank, level in enumerate(Level)}
UNREAD, NO_CASES = Figure(None, None, None, None), Figure(None, None, 0.0, 0.0)


@dataclass(frozen=True)
class Groups:
    """The groups of an answer in order, and which of them each row of the sums belongs to."""

    frame: pd.DataFrame
    """One row a group, a column a key; without keys one row and no column."""
    of_row: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sums: Sums) -> "Groups":
        """All that occur; one, if nothing is grouped."""
        keys = list(sums.keys)
        if not keys:
            return cls(pd.DataFrame(index=range(1)), np.zeros(len(sums.rows), np.int64))
        frame = sums.rows[keys].drop_duplicates().sort_values(keys, ignore_index=True)
        index = pd.MultiIndex.from_frame(frame)
        return cls(frame, index.get_indexer(pd.MultiIndex.from_frame(sums.rows[keys])).astype(np.int64))

    def __len__(self) -> int:
        return len(self.frame)

    def regions(self, checked: Checked) -> list[str]:
        """The place of each group: its own where places are grouped, else (or where it has none) the question's."""
        place = checked.question.place
        levels = [key for key in self.frame if key in BELOW.values()]
        return [code or place for code in self.frame[levels[0]]] if levels else [place] * len(self)

    def channels(self, checked: Checked) -> list[str]:
        """The channel of each group: '' is all of them."""
        if CHANNEL in self.frame:
            return list(self.frame[CHANNEL])
        return [checked.question.channel or ""] * len(self)


def figures_of(catalogue: Catalogue, checked: Checked, sums: Sums, groups: Groups, came: Mapping[str, Mask]) -> Figures:
    """The figures by (bucket, group), each of shape (buckets * groups,).

    `came`: by channel the buckets of which anything came.
    """
    if isinstance(checked.reading, Sketch):
        return _sketch_figures(catalogue, checked, checked.reading, sums, groups, came)
    table = formula_table({checked.subject: checked.reading}, checked.measures)
    parts = [_fractions(catalogue, checked, table, sums, groups, name, came[name]) for name in checked.channels]
    peaks = np.array([any(catalogue.measures[name].kind is Kind.PEAK for name in checked.measures)])
    found = divided(table, joined(parts, peaks))
    return Figures(found.value[0], found.numerator[0], found.denominator[0], found.n[0])


def _fractions(
    catalogue: Catalogue, checked: Checked, table: FormulaTable, sums: Sums, groups: Groups, channel: str, came: Mask
) -> Fractions:
    """What the figures of one channel are made of, (1, buckets * groups)."""
    shape = (len(checked.measures), len(sums.buckets), len(groups))
    values, seen = np.zeros(shape), np.zeros(shape, np.bool_)
    own = (sums.rows["channel"] == channel).to_numpy()
    rows = sums.rows[own]
    measure = pd.Index(checked.measures).get_indexer(rows["measure"])
    cells = (measure, rows["bucket"].to_numpy(np.int64), groups.of_row[own])
    values[cells], seen[cells] = rows["value"].to_numpy(np.float64), True
    counted = np.array([_counted(catalogue, checked, groups, channel, name) for name in checked.measures], np.bool_)
    read = seen | (counted[:, None, :] & came[None, :, None])
    return fractions(table, values.reshape(len(values), -1), read.reshape(len(read), -1))


def _counted(catalogue: Catalogue, checked: Checked, groups: Groups, channel: str, measure: str) -> list[bool]:
    """By group: whether a channel counts a measure there, so that no row is a zero."""
    if catalogue.measures[measure].kind is not Kind.ADDITIVE:
        return [False] * len(groups)
    delivery = catalogue.delivery(channel, measure)
    grain = RANKS[delivery.grain] if delivery else -1
    return [
        own in ("", channel) and catalogue.regions[code].served and RANKS[catalogue.regions[code].level] <= grain
        for code, own in zip(groups.regions(checked), groups.channels(checked), strict=True)
    ]


def _sketch_figures(
    catalogue: Catalogue, checked: Checked, sketch: Sketch, sums: Sums, groups: Groups, came: Mapping[str, Mask]
) -> Figures:
    """Read off the marks of each cell; where a channel came and nothing was marked there were no cases."""
    accuracy, number = catalogue.accuracies.get(sketch.dimension), len(groups)
    cell = pd.Series(sums.rows["bucket"].to_numpy(np.int64) * number + groups.of_row, name="cell")
    marked = sums.rows[sketch.dimension].reset_index(drop=True)
    counts = sums.rows["value"].reset_index(drop=True).astype(float).groupby([cell, marked]).sum()
    found = {
        int(at): sketch_figure(sketch, part.droplevel(0).to_dict(), accuracy) for at, part in counts.groupby(level=0)
    }
    read = [
        np.array(_counted(catalogue, checked, groups, name, sketch.measure), np.bool_)[None, :] & came[name][:, None]
        for name in checked.channels
    ]
    empty = np.logical_or.reduce(read).reshape(-1)
    cells = [found.get(at, NO_CASES if empty[at] else UNREAD) for at in range(len(empty))]
    rows = [(one.value, one.numerator, one.denominator, one.n) for one in cells]
    return Figures(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)
