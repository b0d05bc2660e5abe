"""From measure sums to figures: sum first, divide last.

Three things stay apart everywhere: a measure that was not read (NaN in, NaN out, n is NaN), no value
(0/0: NaN with n = 0), and zero. Sums come in as numbers or as arrays whose first axis is the measure;
NaN means that nothing was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula
from metrics.formula import Floats, FormulaTable


@dataclass(frozen=True)
class Figure:
    """One figure: value None is no value; numerator and denominator None were not read."""

    value: float | None
    numerator: float | None
    denominator: float | None
    n: float | None
    """How many cases it stands on: the denominator, or the sum itself where there is none."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Many figures: arrays of shape (formulae, ...); NaN is none."""

    value: Floats
    numerator: Floats
    denominator: Floats
    n: Floats


@dataclass(frozen=True, eq=False)
class Halves:
    """Numerators and denominators that are not divided yet: arrays of shape (formulae, ...), NaN where not read."""

    numerator: Floats
    denominator: Floats

    def at(self, places: npt.NDArray[np.int64]) -> "Halves":
        """Those at some places of the last axis."""
        return Halves(self.numerator[..., places], self.denominator[..., places])


def figure(formula: Formula, sums: Mapping[str, float]) -> Figure:
    """One formula over the sums that were read; a measure that is missing from them gives no value."""
    if any(measure not in sums for measure in formula.measures):
        return Figure(None, None, None, None)
    numerator = sum(sums[measure] * factor for measure, factor in formula.numerator_terms.items())
    if formula.denominator is None:
        return Figure(numerator * formula.scale, numerator, None, numerator)
    denominator = sum(sums[measure] * factor for measure, factor in formula.denominator_terms.items())
    value = numerator / denominator * formula.scale if denominator > 0 else None
    return Figure(value, numerator, denominator, denominator)


def figures(table: FormulaTable, sums: Floats) -> Figures:
    """Every formula over measure sums of shape (measures, ...), the measures in the table's order."""
    return divided(table, halves(table, sums))


def halves(table: FormulaTable, sums: Floats) -> Halves:
    """Both halves of every formula, for who adds more to them before they are divided."""
    cells = sums.reshape(len(table.measures), -1)
    shape = (len(table.ids), *sums.shape[1:])
    numerator, denominator = _weighted(table.numerators, cells), _weighted(table.denominators, cells)
    return _whole(table, Halves(numerator.reshape(shape), denominator.reshape(shape)))


def divided(table: FormulaTable, parts: Halves) -> Figures:
    """Divide last."""
    whole = _whole(table, parts)
    numerator, denominator = whole.numerator, whole.denominator
    divides, scales = (_beside(one, numerator) for one in (table.divides, table.scales))
    by = np.where(divides, denominator, 1.0)
    value = np.divide(numerator, by, out=np.full_like(numerator, np.nan), where=by > 0) * scales
    return Figures(value, numerator, denominator, np.where(divides, denominator, numerator))


def _whole(table: FormulaTable, parts: Halves) -> Halves:
    """A half that was not read leaves the whole figure without numbers: half a figure misleads."""
    divides = _beside(table.divides, parts.numerator)
    unread = np.isnan(parts.numerator) | (np.isnan(parts.denominator) & divides)
    return Halves(np.where(unread, np.nan, parts.numerator), np.where(unread | ~divides, np.nan, parts.denominator))


def _beside(column: npt.NDArray[Any], cells: Floats) -> npt.NDArray[Any]:
    """One value a formula, in the shape of what lies beside it."""
    return column.reshape(-1, *[1] * (cells.ndim - 1))


def _weighted(coefficients: Floats, cells: Floats) -> Floats:
    """Coefficients times sums, NaN where a measure that counts was not read.

    Formulae have two or three terms, so adding those beats a product over all measures.
    """
    weighted = np.zeros((len(coefficients), cells.shape[1]))
    for row, column in zip(*np.nonzero(coefficients), strict=True):
        weighted[row] += coefficients[row, column] * cells[column]
    return weighted
