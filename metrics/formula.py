"""Metric formulae as tables of terms, so that all of them over all places are a few sums of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula, Metric

Floats = npt.NDArray[np.float64]
Terms = tuple[tuple[int, float], ...]
"""(place of a measure, factor), in the order of the measures."""


@dataclass(frozen=True, eq=False)
class FormulaTable:
    """Formulae over measures, ready to be worked out for arrays of sums."""

    ids: tuple[str, ...]
    measures: tuple[str, ...]
    numerators: tuple[Terms, ...]
    """By formula."""
    denominators: tuple[Terms, ...]
    """By formula; without terms where one is a plain sum."""
    divides: npt.NDArray[np.bool_]
    """(formulae,) whether there is a denominator."""
    scales: Floats
    """(formulae,) factor of the quotient."""


def formula_table(formulas: Mapping[str, Formula], measures: Sequence[str]) -> FormulaTable:
    """Lay formulae out over these measures; raises KeyError naming a measure that is not among them."""
    places = {measure: at for at, measure in enumerate(measures)}

    def terms(factors: Mapping[str, float]) -> Terms:
        return tuple(sorted((places[measure], factor) for measure, factor in factors.items()))

    return FormulaTable(
        ids=tuple(formulas),
        measures=tuple(measures),
        numerators=tuple(terms(formula.numerator_terms) for formula in formulas.values()),
        denominators=tuple(terms(formula.denominator_terms) for formula in formulas.values()),
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
