"""TY-01..03: what was read is of the right type, unit and period format."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from config.catalogue import Kind
from data_quality.registry import Dimension, Records, Sight, Stage, Verdict, rule

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@rule("TY-01", dimension=Dimension.ACCURACY, stage=Stage.SCHEMA, records=Records.JUDGED)
def values_are_of_their_type(sight: Sight) -> Iterator[Verdict]:
    """No record was refused for its type, and what counts things is a whole number."""
    grid = sight.grid
    counted = [one.unit == "n" and one.kind is Kind.ADDITIVE for one in grid.measures] & ~grid.is_ratio
    value = grid.rows.value
    uneven = np.flatnonzero(value != np.rint(value))
    broken = uneven[np.isfinite(value[uneven]) & np.append(counted, False)[grid.rows.line(uneven)]]
    yield from _cells_without(sight, broken, grid.filled & counted[:, None, None])


@rule("TY-02", dimension=Dimension.ACCURACY, stage=Stage.SCHEMA, records=Records.JUDGED)
def values_are_in_their_unit(_: Sight) -> Iterator[Verdict]:
    """No record was refused because its unit could not be told or converted; a stored figure has lost its unit."""
    return iter(())


@rule("TY-03", dimension=Dimension.ACCURACY, stage=Stage.SCHEMA, records=Records.JUDGED)
def periods_are_the_channels_own(sight: Sight) -> Iterator[Verdict]:
    """No record was refused for its time, and every figure starts where an interval of its channel starts."""
    yield from _cells_without(sight, sight.grid.rows.astray, sight.grid.filled)


def _cells_without(sight: Sight, broken: Rows, judged: Mask) -> Iterator[Verdict]:
    """Cells that hold none of the broken rows."""
    if judged.any():
        bad = sight.grid.holding(broken)
        yield Verdict(sight.grid.labels, judged, bad, blocked=sight.spoiled & judged, spoils=bad)
