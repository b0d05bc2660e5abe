"""CP-01..04: everything that should be there is there."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from data_quality.registry import Dimension, Records, Sight, Stage, Verdict, rule

Mask = npt.NDArray[np.bool_]


@rule("CP-01", dimension=Dimension.COMPLETENESS, stage=Stage.ARRIVAL, limits=("deadline_s",), records=Records.REFUSED)
def every_expected_batch_arrived(sight: Sight) -> Iterator[Verdict]:
    """A readable batch lies over every interval that is due; without one nothing later can be judged there.

    No part of what was sent was lost before it could be read.
    """
    schedule = sight.grid.schedule
    judged, missing = schedule.owed[:, None, :], schedule.missing[:, None, :]
    if judged.any():
        shown = {"error": _last_errors(sight)[:, None, None]}
        spoils = missing[sight.grid.source_of]
        yield Verdict(sight.grid.sender_labels, judged, missing, spoils=spoils, shown=shown, placeless=True)


@rule("CP-04", dimension=Dimension.COMPLETENESS, stage=Stage.COMPLETENESS)
def no_whole_measure_is_absent(sight: Sight) -> Iterator[Verdict]:
    """In each interval that came, every measure that is owed came from somewhere."""
    owed = _owed_cells(sight)
    judged = _anywhere(owed)
    if judged.any():
        absent = judged & ~_anywhere(sight.grid.present)
        blocked = judged & ~_anywhere(owed & ~sight.spoiled)
        yield Verdict(sight.grid.labels, judged, absent, blocked, spoils=absent, placeless=True)


@rule("CP-02", dimension=Dimension.COMPLETENESS, stage=Stage.COMPLETENESS, limits=("share",), records=Records.REFUSED)
def expected_keys_were_received(sight: Sight) -> Iterator[Verdict]:
    """Every place that owes a measure gave it, and no key was said twice; under a class A metric without exception."""
    judged = _owed_cells(sight)
    if judged.any():
        missing = judged & ~sight.grid.present
        allowed = np.where(_strict(sight), 0.0, 1.0 - sight.limit("share"))
        yield Verdict(sight.grid.labels, judged, missing, sight.spoiled & judged, spoils=missing, allowed=allowed)


def _strict(sight: Sight) -> list[bool]:
    """By line: whether a metric of class A stands on it."""
    standing = sight.evidence.metrics_on.items()
    strict = {name for name, metrics in standing if any(one.data_rule.quality_class == "A" for one in metrics)}
    return [one.id in strict for one in sight.grid.measures]


@rule("CP-03", dimension=Dimension.COMPLETENESS, stage=Stage.COMPLETENESS, records=Records.JUDGED)
def required_cells_are_not_empty(sight: Sight) -> Iterator[Verdict]:
    """A figure that was sent has a value, and no record was refused because a cell it needs was empty."""
    judged = sight.grid.filled
    if judged.any():
        empty = sight.grid.holding(np.isnan(sight.grid.rows.value))
        yield Verdict(sight.grid.labels, judged, empty, sight.spoiled & judged, spoils=empty)


def _anywhere(cells: Mask) -> Mask:
    """(line, 1, interval): whether any region is set; an interval at a time, for then the first that is ends it."""
    return np.stack([cells[:, :, at].any(axis=1, keepdims=True) for at in range(cells.shape[2])], axis=2)


def _owed_cells(sight: Sight) -> Mask:
    """Cells that must hold a figure: owed by their place, in intervals that came or should have."""
    when = sight.grid.schedule.owed[sight.grid.source_of]
    cells: Mask = sight.grid.owed[:, :, None] & when[:, None, :]
    return cells


def _last_errors(sight: Sight) -> npt.NDArray[np.object_]:
    """What each source failed with last, '' where it did not."""
    came = sight.grid.schedule.came
    errors = np.full(len(sight.grid.sender_labels), "", dtype=object)
    for at in np.flatnonzero(~came.ok):
        errors[came.source[at]] = came.error[at]
    return errors
