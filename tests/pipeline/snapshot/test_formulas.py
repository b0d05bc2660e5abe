"""What the figures of the snapshot are made of: sums over channels, peaks, and the newest minute of each level."""

import numpy as np

from config.loading import load
from metrics.arithmetic import Fractions
from pipeline.board.minute_grid import STEP_S, MinuteGrid
from pipeline.snapshot.formulas import Formulas

FORMULAS = Formulas(load())
PEAK = int(np.flatnonzero(FORMULAS.peaks)[0])
SUM = int(np.flatnonzero(~FORMULAS.peaks & ~FORMULAS.table.divides)[0])


def channel(**read: float) -> Fractions:
    """What one channel read of a peak and of a sum, at one place."""
    found = Fractions.unread((len(FORMULAS.metrics), 1))
    for name, value in read.items():
        row = {"peak": PEAK, "sum": SUM}[name]
        found.numerator[row], found.read[row] = value, True
    return found


def test_channels_joined_add_up_and_their_peaks_take_the_largest() -> None:
    joined = FORMULAS.divide(FORMULAS.join([channel(peak=-7.0, sum=3.0), channel(peak=-9.0, sum=4.0), channel()]))
    assert (joined.value[PEAK, 0], joined.value[SUM, 0]) == (-7.0, 7.0)


def test_what_only_some_channels_read_stays_as_it_is_and_what_none_read_has_no_value() -> None:
    joined = FORMULAS.divide(FORMULAS.join([channel(sum=3.0), channel()]))
    assert joined.value[SUM, 0] == 3.0
    assert np.isnan([joined.value[PEAK, 0], joined.numerator[PEAK, 0], joined.n[PEAK, 0]]).all()


def test_half_a_formula_is_no_figure_and_leaves_nothing_to_add() -> None:
    table = FORMULAS.table
    row = int(np.flatnonzero(table.divides)[0])
    sums = np.column_stack([np.arange(1.0, len(table.measures) + 1)] * 2)
    read = np.ones(sums.shape, np.bool_)
    read[table.denominators[row][0][0], 0] = False
    found = FORMULAS.fractions(sums, read, read)
    assert found.read[row].tolist() == [False, True]
    assert (found.numerator[row, 0], found.denominator[row, 0]) == (0.0, 0.0)
    assert found.denominator[row, 1] == sum(sums[measure, 1] * factor for measure, factor in table.denominators[row])
    assert found.denominator[row, 1] != 0


def test_a_level_is_taken_at_its_own_newest_minute() -> None:
    """A minute in which one level was read and the other not is no instant of the other."""
    grid = MinuteGrid(1, ("queue", "staff"))
    for minute, read in enumerate([(True, True), (True, True), (True, False)]):
        grid.clear(minute * STEP_S)
        grid.values[minute, :, 0], grid.seen[minute, :, 0] = minute + 1.0, read
    values, seen = grid.last(0, 3 * STEP_S, np.array([True, True]))
    assert values[:, 0].tolist() == [3.0, 2.0]
    assert seen.all()
