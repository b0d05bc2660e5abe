"""AC-01, AC-02: every value is possible, and every code is one that exists."""

from collections.abc import Iterator

import numpy as np

from data_quality.grid.coded_facts import Indices, Mask
from data_quality.grid.grid import REPORTED, AuditGrid, Label
from data_quality.registry import Dimension, Records, Sight, Stage, Verdict, rule
from metrics.observations import decode_dimensions


@rule("AC-01", dimension=Dimension.ACCURACY, stage=Stage.VALIDITY, records=Records.JUDGED)
def values_are_within_range(sight: Sight) -> Iterator[Verdict]:
    """Values lie between the measure's minimum and maximum and are finite; no record was refused because its were not.

    Empty ones are CP-03's.
    """
    grid, judged = sight.grid, sight.grid.filled
    if not judged.any():
        return
    lowest = np.array([one.minimum for one in grid.measures] + [0.0])
    highest = np.array([np.inf if one.maximum is None else one.maximum for one in grid.measures])
    given = grid.rows.value
    suspect = np.flatnonzero(~(given >= lowest.max()) | np.isinf(given))
    impossible = suspect[np.isinf(given[suspect]) | (given[suspect] < lowest[grid.rows.line(suspect)])]
    over = grid.present & (grid.values > highest[:, None, None])
    bad = judged & (grid.holding(impossible) | over)
    shown = {"value": np.where(grid.present, grid.values, grid.totals)} if bad.any() else {}
    yield Verdict(grid.labels, judged, bad, sight.spoiled & judged, spoils=bad, shown=shown)


@rule("AC-02", dimension=Dimension.ACCURACY, stage=Stage.VALIDITY, records=Records.JUDGED)
def codes_are_known(sight: Sight) -> Iterator[Verdict]:
    """Places, measures and dimension values exist, places are of the delivery's grain, and ratios lie in [0, 1].

    No record was refused because one of them does not.
    """
    yield from _rows_without_a_place(sight)
    grid, judged = sight.grid, sight.grid.filled
    if not judged.any():
        return
    rows = grid.rows
    at_grain, served = grid.at_grain[:, :, None], grid.places.served[grid.at][None, :, None]
    misplaced = (grid.present & ~(at_grain & served)) | (grid.totals_present & ~(~at_grain & served))
    unknown = _unknown_values(grid)
    ratios = rows.on(_ratios(sight))
    beyond = ratios[(rows.value[ratios] < 0) | (rows.value[ratios] > 1)]
    bad = misplaced | grid.holding(unknown) | grid.holding(beyond)
    yield Verdict(grid.labels, judged, bad, sight.spoiled & judged, spoils=bad)


def _rows_without_a_place(sight: Sight) -> Iterator[Verdict]:
    """Rows whose region or measure nobody knows: they can stand in no cell, so their column is named instead."""
    grid, rows = sight.grid, sight.grid.rows
    labels = tuple(Label(one.channel, one.source, "region" if one.source else "measure") for one in grid.sender_labels)
    judged = np.zeros((len(labels), 1, grid.shape[2]), np.int64)
    bad = judged.copy()
    judged[:, 0, -1] = grid.rows_by_sender
    bad[:, 0, -1] = np.bincount(rows.sender(rows.lost), minlength=len(labels))
    if judged.any():
        yield Verdict(labels, judged, bad, placeless=True)


def _unknown_values(grid: AuditGrid) -> Indices:
    """Rows that hold a dimension value outside their channel's closed code sets."""
    rows, senders = grid.rows, grid.schedule.senders
    decoded = [decode_dimensions(key) for key in rows.dimension_keys]
    closed = {sender.channel.id: sender.channel.dimensions for sender in senders}
    unknown = {
        name: [any(one in own and value not in own[one] for one, value in key.items()) for key in decoded] + [False]
        for name, own in closed.items()
    }
    anywhere = np.any(list(unknown.values()), axis=0)
    suspect = np.flatnonzero(anywhere[rows.dimension] if anywhere.any() else anywhere[:0])
    by_sender = np.array([unknown[sender.channel.id] for sender in senders], dtype=np.bool_)
    return suspect[by_sender[rows.sender(suspect), rows.dimension[suspect]]]


def _ratios(sight: Sight) -> Mask:
    """By line: whether it is the reported value of a metric whose unit is a ratio."""
    metrics, lines = sight.evidence.catalogue.metrics, sight.grid.is_ratio.copy()
    for at in np.flatnonzero(lines).tolist():
        metric = metrics.get(sight.grid.measures[at].id.removeprefix(REPORTED))
        lines[at] = metric is not None and metric.unit == "ratio"
    return lines
