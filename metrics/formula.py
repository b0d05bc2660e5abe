"""Metric formulae as tables of coefficients, so that all of them over all places are a few sums of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula, Metric

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FormulaTable:
    """Formulae by row, measures by column."""

    ids: tuple[str, ...]
    measures: tuple[str, ...]
    numerators: Floats
    """(formulae, measures) coefficients."""
    denominators: Floats
    """(formulae, measures) coefficients; a row of zeros where a formula is a plain sum."""
    divides: npt.NDArray[np.bool_]
    """(formulae,) whether there is a denominator."""
    scales: Floats
    """(formulae,) factor of the quotient."""


def formula_table(formulas: Mapping[str, Formula], measures: Sequence[str]) -> FormulaTable:
    """Lay formulae out over these measures; raises KeyError naming a measure that is not among them."""
    columns = {measure: at for at, measure in enumerate(measures)}
    numerators, denominators = np.zeros((2, len(formulas), len(columns)))
    for row, formula in enumerate(formulas.values()):
        for measure, coefficient in formula.numerator_terms.items():
            numerators[row, columns[measure]] = coefficient
        for measure, coefficient in formula.denominator_terms.items():
            denominators[row, columns[measure]] = coefficient
    return FormulaTable(
        ids=tuple(formulas),
        measures=tuple(measures),
        numerators=numerators,
        denominators=denominators,
        divides=np.array([formula.denominator is not None for formula in formulas.values()], dtype=np.bool_),
        scales=np.array([formula.scale for formula in formulas.values()], dtype=np.float64),
    )


def metric_table(metrics: Mapping[str, Metric], measures: Sequence[str]) -> FormulaTable:
    """The main formula of each metric over these measures."""
    return formula_table({name: metric.formula for name, metric in metrics.items()}, measures)


def formula_of(metric: Metric, variant: str | None = None) -> Formula:
    """The main formula of a metric, or a named variant; raises KeyError naming the variants that exist."""
    if variant is None:
        return metric.formula
    if variant not in metric.variants:
        known = ", ".join(metric.variants) or "none"
        raise KeyError(f"{metric.id} has no variant {variant!r}; it has {known}")
    return metric.variants[variant]
