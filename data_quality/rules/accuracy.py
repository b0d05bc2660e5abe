"""AC-01, AC-02: every value is possible, and every code is one that exists."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from data_quality.grids import REPORTED, Grid, Label
from data_quality.registry import Dimension, Sight, Stage, Verdict, rule
from data_quality.rules.rejected import none_rejected
from metrics.observations import decode_dimensions

Mask = npt.NDArray[np.bool_]


@rule("AC-01", dimension=Dimension.ACCURACY, stage=Stage.VALIDITY)
def values_are_within_range(sight: Sight) -> Iterator[Verdict]:
    """Values lie between the measure's minimum and maximum and are finite; empty ones are CP-03's."""
    yield from none_rejected(sight)
    grid, judged = sight.grid, sight.grid.filled
    if not judged.any():
        return
    lowest = np.array([one.minimum for one in grid.measures] + [0.0])
    highest = np.array([np.inf if one.maximum is None else one.maximum for one in grid.measures])
    impossible = np.isinf(grid.rows.value) | (grid.rows.value < lowest[grid.rows.measure])
    over = grid.present & (grid.values > highest[:, None, None])
    bad = judged & ((grid.scatter(impossible) > 0) | over)
    value = np.where(grid.present, grid.values, grid.totals)
    yield Verdict(sight.grid.measure_labels, judged, bad, sight.spoiled & judged, spoils=bad, shown={"value": value})


@rule("AC-02", dimension=Dimension.ACCURACY, stage=Stage.VALIDITY)
def codes_are_known(sight: Sight) -> Iterator[Verdict]:
    """Places, measures and dimension values exist, places are of the delivery's grain, and ratios lie in [0, 1]."""
    yield from none_rejected(sight)
    yield from _rows_without_a_place(sight)
    grid, judged = sight.grid, sight.grid.filled
    if not judged.any():
        return
    rows = grid.rows
    at_grain, served = grid.at_grain[:, :, None], grid.places.served[grid.at][None, :, None]
    misplaced = (grid.present & ~(at_grain & served)) | (grid.totals_present & ~(~at_grain & served))
    unknown = np.flatnonzero(np.append(_unknown_values(grid), False)[rows.dimension])
    beyond = np.flatnonzero((rows.value < 0) | (rows.value > 1))
    beyond = beyond[np.append(_ratios(sight), False)[rows.measure[beyond]]]
    bad = misplaced | (grid.scatter(unknown) > 0) | (grid.scatter(beyond) > 0)
    yield Verdict(sight.grid.measure_labels, judged, bad, sight.spoiled & judged, spoils=bad)


def _rows_without_a_place(sight: Sight) -> Iterator[Verdict]:
    """Rows whose region or measure nobody knows: they can stand in no cell, so their column is named instead."""
    grid, rows = sight.grid, sight.grid.rows
    labels = (*(Label(one.source, "region") for one in sight.grid.source_labels), Label("", "measure"))
    lost = np.flatnonzero((rows.measure < 0) | (rows.region < 0))
    source = np.append(grid.source_of, len(labels) - 1)[rows.measure[lost]]
    judged = np.zeros((len(labels), 1, grid.shape[2]), np.int64)
    bad = judged.copy()
    judged[:, 0, -1], bad[:, 0, -1] = grid.rows_by_source, np.bincount(source, minlength=len(labels))
    if judged.any():
        yield Verdict(labels, judged, bad)


def _unknown_values(grid: Grid) -> Mask:
    """By dimension key: whether it holds a value outside the channel's closed code sets."""
    closed = grid.channel.dimensions
    return np.array(
        [
            any(name in closed and value not in closed[name] for name, value in decode_dimensions(key).items())
            for key in grid.dimension_keys
        ],
        dtype=np.bool_,
    )


def _ratios(sight: Sight) -> Mask:
    """By measure: whether it is the reported value of a metric whose unit is a ratio."""
    metrics = sight.evidence.catalogue.metrics
    named = [metrics.get(one.id.removeprefix(REPORTED)) for one in sight.grid.measures]
    return np.array([metric is not None and metric.unit == "ratio" for metric in named]) & sight.grid.is_ratio
