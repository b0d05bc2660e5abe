"""AC-03..05: figures that must agree with each other do."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from config.catalogue import Formula, Kind, Level
from data_quality.grid.coded_facts import Values
from data_quality.grid.grid import REPORTED, AuditGrid
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
    for names, lines in grid.alike("offered", *PARTS):
        if not {"offered", "answered", "abandoned"} <= set(names):
            continue
        keys, unbalanced = _balances(grid, lines)
        came = np.asarray(grid.schedule.whole[grid.source_of[lines]].all(axis=0))[:, None, :]
        judged: Counts = keys * came
        if not judged.any():
            continue
        bad: Counts = unbalanced * came
        blocked = np.asarray(sight.spoiled[lines].any(axis=0))
        spoils = sight.nothing
        spoils[lines] = bad > 0
        shown = {name: grid.values[own] for name, own in zip(names, lines, strict=True)}
        yield Verdict(grid.labels_of(lines[0]), judged, bad, blocked, spoils, shown=shown)


def _balances(grid: AuditGrid, lines: Counts) -> tuple[Counts, Counts]:
    """(channel, region, interval): how many dimension keys have any row, and in how many offered is not its parts.

    The lines are (measure, channel), offered first.
    """
    rows, (_, regions, steps) = grid.rows, grid.shape
    shape, size = (lines.shape[1], regions, steps), lines.shape[1] * regions * steps
    sign, channel = np.zeros(len(grid.measures) + 1), np.zeros(len(grid.measures) + 1, np.int64)
    sign[lines], sign[lines[0]], channel[lines] = -1.0, 1.0, np.arange(lines.shape[1])
    chosen = rows.on(sign[:-1] != 0)
    chosen = chosen[(rows.cell[chosen] < grid.size) & ~rows.reported[chosen]]
    line = rows.line(chosen)
    keys = _shared_keys(grid, lines)
    place = channel[line] * (regions * steps) + rows.cell[chosen] % (regions * steps)
    cells = keys[channel[line], rows.dimension[chosen]] * size + place
    several = int(keys.max(initial=0)) + 1
    number = size * several
    difference = np.bincount(cells, sign[line] * rows.value[chosen], number)
    there = np.bincount(cells, minlength=number) > 0
    off = there & ~(np.abs(difference) <= EXACT)
    counted, unbalanced = (np.count_nonzero(one.reshape(several, *shape), axis=0) for one in (there, off))
    return counted, unbalanced


def _shared_keys(grid: AuditGrid, lines: Counts) -> Counts:
    """(channel, dimension key): a number; keys that agree in what all the measures of a channel have share it."""
    decoded = [decode_dimensions(key) for key in grid.rows.dimension_keys]
    found: dict[frozenset[str], list[int]] = {}
    dimensions = [frozenset.intersection(*(frozenset(grid.deliveries[at].dimensions) for at in own)) for own in lines.T]
    for shared in dimensions:
        if shared not in found:
            keys = [encode_dimensions({name: key[name] for name in shared & key.keys()}) for key in decoded]
            numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
            found[shared] = [numbers[key] for key in keys]
    return np.array([found[shared] for shared in dimensions], np.int64)


@rule("AC-04", dimension=Dimension.ACCURACY, stage=Stage.IDENTITY)
def reported_ratios_agree_with_their_parts(sight: Sight) -> Iterator[Verdict]:
    """A ratio as its source prints it is its parts' ratio, to half a unit of its last digit.

    Silent without reported ratios, without their parts, and for 0/0.
    """
    grid, metrics = sight.grid, sight.evidence.catalogue.metrics
    for name in dict.fromkeys(grid.measures[at].id for at in np.flatnonzero(grid.is_ratio)):
        metric = metrics.get(name.removeprefix(REPORTED))
        lines = grid.together(name, *metric.formula.measures) if metric else np.zeros((1, 0), np.int64)
        if metric is None or not lines.size:
            continue
        own, needed = lines[0], dict(zip(metric.formula.measures, lines[1:], strict=True))
        given, has_key = _single(grid, own)
        computed = _recomputed(grid, metric.formula, needed)
        judged = has_key & np.isfinite(given) & np.isfinite(computed)
        if not judged.any():
            continue
        half = 0.5 * 10.0 ** -_decimals(np.where(judged, given, 0.0))
        bad = judged & (np.abs(given - computed) > half[:, None, None] + EXACT * EXACT)
        blocked = _spoiled_below(sight, lines[1:]).any(axis=0) | sight.spoiled[own]
        spoils = sight.nothing
        spoils[own] = bad
        shown = {"reported": given, "computed": computed}
        yield Verdict(grid.labels_of(own), judged, bad, blocked, spoils, shown=shown)


def _single(grid: AuditGrid, lines: Counts) -> tuple[Values, Mask]:
    """Lines where they were given once for the whole cell: a ratio by dimension does not add up."""
    given = np.where(grid.present[lines], grid.values[lines], grid.totals[lines])
    return given, grid.parts[lines] + grid.totals_given[lines] == 1


def _recomputed(grid: AuditGrid, formula: Formula, lines: dict[str, Counts]) -> Values:
    """(channel, region, interval): the formula over the summed parts at and above the grain; NaN is no value."""
    numerator = _weighted(grid, formula.numerator_terms, lines)
    if not formula.denominator_terms:
        return numerator * formula.scale
    denominator = _weighted(grid, formula.denominator_terms, lines)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, numerator / denominator, np.nan) * formula.scale


def _weighted(grid: AuditGrid, terms: dict[str, float], lines: dict[str, Counts]) -> Values:
    measures, weights = np.stack([lines[name] for name in terms]), np.array(list(terms.values()))
    cells = grid.values[measures]
    return np.tensordot(weights, cells + _above_grain(grid, measures, cells), axes=1)


def _above_grain(grid: AuditGrid, lines: Counts, cells: Values) -> Values:
    """Sums of some lines' cells at grain for every region above it; 0 at the grain itself."""
    at_grain = grid.at_grain[lines][..., None]
    if at_grain.all():
        return np.zeros(cells.shape)
    parts = np.where(at_grain, cells, 0.0)
    total = sum(grid.summed(parts, level) for level in (Level.NATION, Level.PROVINCE, Level.CITY))
    return np.where(at_grain, 0.0, total)


def _spoiled_below(sight: Sight, lines: Counts) -> Mask:
    """Of the lines: cells that are spoiled themselves or hold a spoiled one at the grain."""
    spoiled = sight.spoiled[lines]
    if not spoiled.any():
        return spoiled
    mask: Mask = spoiled | (_above_grain(sight.grid, lines, spoiled.astype(np.float64)) > 0)
    return mask


def _decimals(values: Values) -> Values:
    """By channel: decimals to which it prints its ratios: those of its longest, for zeros at the end do not show."""
    decimals = np.full(len(values), float(DIGITS))
    for digits in reversed(range(DIGITS)):
        rest = np.abs(values - np.round(values, digits)).max(axis=(1, 2), initial=0.0)
        decimals[rest < 10.0**-DIGITS] = digits
    return decimals


@rule("AC-05", dimension=Dimension.ACCURACY, stage=Stage.BALANCE, limits=("least", "share"))
def totals_are_the_sum_of_their_parts(sight: Sight) -> Iterator[Verdict]:
    """A province's (or the nation's) reported total is the sum of what its cities gave, additive measures only.

    Blocked where a part is missing or has failed: the total cannot be blamed for that.
    """
    grid = sight.grid
    if not grid.totals_present.any():
        return
    additive = [one.kind is Kind.ADDITIVE for one in grid.measures] & ~grid.is_ratio
    came = grid.schedule.whole[grid.source_of][:, None, :]
    due = grid.totals_present & ~grid.at_grain[:, :, None] & additive[:, None, None] & came
    lines = np.flatnonzero(due.any(axis=(1, 2)))
    if not len(lines):
        return
    judged, totals = due[lines], grid.totals[lines]
    parts = _above_grain(grid, lines, grid.values[lines])
    tolerance = np.maximum(sight.limit("least"), sight.limit("share") * np.abs(totals))
    bad = judged & ~(np.abs(totals - parts) <= tolerance)
    blocked, spoils = judged & _spoiled_below(sight, lines), sight.nothing
    spoils[lines] = bad
    shown = {"reported": totals, "parts": parts}
    yield Verdict(grid.labels_of(lines), judged, bad, blocked, spoils, shown=shown)
