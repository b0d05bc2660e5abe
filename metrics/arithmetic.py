"""From measure sums to figures: sum first, divide last.

Three things stay apart everywhere: a measure that was not read (NaN in, NaN out, n is NaN), no value
(0/0: NaN with n = 0), and zero. Sums come in as numbers or as arrays whose first axis is the measure;
NaN means that nothing was read, or an array beside them says what was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula
from metrics.formula import Floats, FormulaTable, Terms

Bools = npt.NDArray[np.bool_]


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
class Fractions:
    """Numerators and denominators that are not divided yet: arrays of shape (formulae, ...), 0 where not read."""

    numerator: Floats
    denominator: Floats
    read: Bools
    """Whether all that the formula stands on was read: half a figure misleads."""

    @classmethod
    def unread(cls, shape: tuple[int, ...]) -> "Fractions":
        """To be filled."""
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape, np.bool_))

    def at(self, places: npt.NDArray[np.int64]) -> "Fractions":
        """Those at some places of the last axis."""
        return Fractions(self.numerator[..., places], self.denominator[..., places], self.read[..., places])

    def put(self, places: slice, parts: "Fractions") -> None:
        """Enter some at places of the last axis."""
        self.numerator[..., places] = parts.numerator
        self.denominator[..., places] = parts.denominator
        self.read[..., places] = parts.read


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
    read = ~np.isnan(sums)
    return divided(table, fractions(table, np.where(read, sums, 0.0), read))


def fractions(table: FormulaTable, sums: Floats, read: Bools) -> Fractions:
    """Both fractions of every formula, for who adds more to them before they are divided.

    Formulae have two or three terms, so adding those beats a product over all measures.
    """
    found = Fractions.unread((len(table.ids), *sums.shape[1:]))
    anywhere = [bool(one.any()) for one in read]
    for row, (above, below) in enumerate(zip(table.numerators, table.denominators, strict=True)):
        measures = [measure for measure, _ in (*above, *below)]
        if all(anywhere[measure] for measure in measures):
            whole = found.read[row, ...]
            whole.fill(True)
            for measure in measures:
                whole &= read[measure]
            _add(found.numerator[row, ...], above, sums)
            _add(found.denominator[row, ...], below, sums)
    for half in (found.numerator, found.denominator):
        np.copyto(half, 0.0, where=~found.read)
    return found


def _add(half: Floats, terms: Terms, sums: Floats) -> None:
    for measure, factor in terms:
        half += sums[measure] if factor == 1.0 else factor * sums[measure]


def joined(parts: Sequence[Fractions], peaks: Bools) -> Fractions:
    """Fractions of several channels as one: sums, and the largest of `peaks`, (formulae,); what is missing is left out.

    So a ratio is divided last, and a channel that knows only half of it leaves it alone.
    """
    found = Fractions.unread(parts[0].read.shape)
    for part in parts:
        found.numerator[...] += part.numerator
        found.denominator[...] += part.denominator
        found.read[...] |= part.read
    largest = [np.where(part.read[peaks], part.numerator[peaks], np.nan) for part in parts]
    found.numerator[peaks] = np.where(found.read[peaks], np.fmax.reduce(largest), 0.0)
    return found


def divided(table: FormulaTable, parts: Fractions) -> Figures:
    """Divide last."""
    divides, scales = (_beside(one, parts.read) for one in (table.divides, table.scales))
    numerator = np.where(parts.read, parts.numerator, np.nan)
    denominator = np.where(parts.read & divides, parts.denominator, np.nan)
    by = np.where(divides, denominator, 1.0)
    value = np.divide(numerator, by, out=np.full_like(numerator, np.nan), where=by > 0) * scales
    return Figures(value, numerator, denominator, np.where(divides, denominator, numerator))


def _beside(column: npt.NDArray[Any], cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One value a formula, in the shape of what lies beside it."""
    return column.reshape(-1, *[1] * (cells.ndim - 1))
