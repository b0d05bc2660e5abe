"""AC-03..05: figures that must agree with each other do."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula, Kind, Level
from data_quality.facts import Values
from data_quality.grids import REPORTED, Grid
from data_quality.registry import Dimension, Sight, Stage, Verdict, rule
from metrics.observations import decode_dimensions, encode_dimensions

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
PARTS = ("answered", "abandoned", "flowed_out", "waiting")
EXACT = 1e-6
"""Sums of whole numbers in float64 are exact; this is only for what float64 does to fractions."""
DIGITS = 9
"""More decimals than any source prints."""


@rule("AC-03", dimension=Dimension.ACCURACY, stage=Stage.IDENTITY)
def offered_is_answered_abandoned_flowed_out_or_waiting(sight: Sight) -> Iterator[Verdict]:
    """What was offered was answered, abandoned, flowed out or waits, exactly, for each dimension key.

    Silent where the channel does not deliver offered, answered and abandoned; what else it does not deliver is 0.
    Keys are compared in the dimensions that all of these measures have.
    """
    grid = sight.grid
    measures = grid.of("offered", *PARTS)
    if len(grid.of("offered", "answered", "abandoned")) < 3:
        return
    keys, unbalanced = _balances(grid, measures)
    came = grid.schedule.whole[grid.source_of[measures]].all(axis=0)
    judged: Counts = keys * came
    if not judged.any():
        return
    bad: Counts = unbalanced * came
    blocked = np.asarray(sight.spoiled[measures].any(axis=0))
    spoils = sight.nothing
    spoils[measures] = bad > 0
    label = sight.grid.measure_labels[int(grid.of("offered")[0])]
    shown = {grid.measures[at].id: grid.values[at] for at in measures}
    yield Verdict((label,), judged[None], bad[None], blocked[None], spoils, shown=shown)


def _balances(grid: Grid, measures: Counts) -> tuple[Counts, Counts]:
    """(region, interval): how many dimension keys have any row, and in how many offered is not its parts."""
    rows, (_, regions, steps) = grid.rows, grid.shape
    size = regions * steps
    sign = np.zeros(len(grid.measures) + 1)
    sign[measures], sign[grid.of("offered")] = -1.0, 1.0
    chosen = (rows.cell < grid.size) & ~rows.reported & (sign[rows.measure] != 0)
    key = _shared_keys(grid, measures)[rows.dimension[chosen]]
    cells = key * size + rows.cell[chosen] % size
    found, at = np.unique(cells, return_inverse=True)
    difference = np.bincount(at, sign[rows.measure[chosen]] * rows.value[chosen], len(found))
    place = found % size
    off = ~(np.abs(difference) <= EXACT)
    keys, unbalanced = (np.bincount(one, minlength=size).reshape(regions, steps) for one in (place, place[off]))
    return keys, unbalanced


def _shared_keys(grid: Grid, measures: Counts) -> Counts:
    """A number for each dimension key of the grid; keys that agree in what all the measures have share it."""
    shared = set.intersection(*(set(grid.deliveries[at].dimensions) for at in measures))
    decoded = [decode_dimensions(key) for key in grid.dimension_keys]
    keys = [encode_dimensions({name: key[name] for name in shared & key.keys()}) for key in decoded]
    numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.int64)


@rule("AC-04", dimension=Dimension.ACCURACY, stage=Stage.IDENTITY)
def reported_ratios_agree_with_their_parts(sight: Sight) -> Iterator[Verdict]:
    """A ratio as its source prints it is its parts' ratio, to half a unit of its last digit.

    Silent without reported ratios, without their parts, and for 0/0.
    """
    grid, metrics = sight.grid, sight.evidence.catalogue.metrics
    for at in np.flatnonzero(grid.is_ratio):
        metric = metrics.get(grid.measures[at].id.removeprefix(REPORTED))
        if metric is None or len(needed := grid.of(*metric.formula.measures)) < len(metric.formula.measures):
            continue
        given, has_key = _single(grid, int(at))
        computed = _recomputed(grid, metric.formula)
        judged = has_key & np.isfinite(given) & np.isfinite(computed)
        if not judged.any():
            continue
        bad = judged & (np.abs(given - computed) > 0.5 * 10.0 ** -_decimals(given[judged]) + EXACT * EXACT)
        blocked = _spoiled_below(sight, needed).any(axis=0) | sight.spoiled[at]
        spoils = sight.nothing
        spoils[at] = bad
        shown = {"reported": given[None], "computed": computed[None]}
        yield Verdict((sight.grid.measure_labels[at],), judged[None], bad[None], blocked[None], spoils, shown=shown)


def _single(grid: Grid, measure: int) -> tuple[Values, Mask]:
    """A measure where it was given once for the whole cell: a ratio by dimension does not add up."""
    given = np.where(grid.present[measure], grid.values[measure], grid.totals[measure])
    return given, grid.parts[measure] + grid.totals_given[measure] == 1


def _recomputed(grid: Grid, formula: Formula) -> Values:
    """(region, interval): the formula over the summed parts at and above the grain; NaN is no value."""
    numerator = _weighted(grid, formula.numerator_terms)
    if not formula.denominator_terms:
        return numerator * formula.scale
    denominator = _weighted(grid, formula.denominator_terms)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, numerator / denominator, np.nan) * formula.scale


def _weighted(grid: Grid, terms: dict[str, float]) -> Values:
    measures, weights = np.concatenate([grid.of(name) for name in terms]), np.array(list(terms.values()))
    cells = grid.values[measures]
    return np.tensordot(weights, cells + _above_grain(grid, measures, cells), axes=1)


def _above_grain(grid: Grid, measures: Counts, cells: Values) -> Values:
    """Sums of some measures' cells at grain for every region above it; 0 at the grain itself."""
    at_grain = grid.at_grain[measures][:, :, None]
    if at_grain.all():
        return np.zeros(cells.shape)
    parts = np.where(at_grain, cells, 0.0)
    total = sum(grid.summed(parts, level) for level in (Level.NATION, Level.PROVINCE, Level.CITY))
    return np.where(at_grain, 0.0, total)


def _spoiled_below(sight: Sight, measures: Counts) -> Mask:
    """Of the measures: cells that are spoiled themselves or hold a spoiled one at the grain."""
    spoiled = sight.spoiled[measures]
    mask: Mask = spoiled | (_above_grain(sight.grid, measures, spoiled.astype(np.float64)) > 0)
    return mask


def _decimals(values: Values) -> int:
    """Decimals to which a source prints its ratios: those of its longest value, for zeros at the end do not show."""
    rounded = ((digits, np.abs(values - np.round(values, digits)).max(initial=0.0)) for digits in range(DIGITS))
    return next((digits for digits, rest in rounded if rest < 10.0**-DIGITS), DIGITS)


@rule("AC-05", dimension=Dimension.ACCURACY, stage=Stage.BALANCE, limits=("least", "share"))
def totals_are_the_sum_of_their_parts(sight: Sight) -> Iterator[Verdict]:
    """A province's (or the nation's) reported total is the sum of what its cities gave, additive measures only.

    Blocked where a part is missing or has failed: the total cannot be blamed for that.
    """
    grid = sight.grid
    additive = [one.kind is Kind.ADDITIVE for one in grid.measures] & ~grid.is_ratio
    came = grid.schedule.whole[grid.source_of][:, None, :]
    judged = grid.totals_present & ~grid.at_grain[:, :, None] & additive[:, None, None] & came
    if not judged.any():
        return
    summed = np.flatnonzero(judged.any(axis=(1, 2)))
    parts, blocked = np.zeros(grid.shape), sight.nothing
    parts[summed] = _above_grain(grid, summed, grid.values[summed])
    blocked[summed] = _spoiled_below(sight, summed)
    tolerance = np.maximum(sight.limit("least"), sight.limit("share") * np.abs(grid.totals))
    bad = judged & ~(np.abs(grid.totals - parts) <= tolerance)
    yield Verdict(
        sight.grid.measure_labels,
        judged,
        bad,
        judged & blocked,
        spoils=bad,
        shown={"reported": grid.totals, "parts": parts},
    )
