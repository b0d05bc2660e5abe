"""All metrics over a nation of places in one go, whatever the shape."""

import sys

import numpy as np

from config.loading import load
from metrics.arithmetic import figures
from metrics.formula import metric_table

CATALOGUE = load()
TABLE = metric_table(CATALOGUE.metrics, tuple(CATALOGUE.measures))


def test_shapes_are_kept() -> None:
    sums = np.ones((len(TABLE.measures), 3, 4))
    found = figures(TABLE, sums)
    assert found.value.shape == found.n.shape == (len(TABLE.ids), 3, 4)


def test_places_cost_no_step_of_their_own() -> None:
    """All places are worked out in the same steps, so that 1,700 of them take as many as two: that is what is quick."""
    assert steps(1700) == steps(2) > 0


def steps(places: int) -> int:
    """How many calls of Python working out that many places takes."""
    sums = np.random.default_rng(1).integers(0, 500, (len(TABLE.measures), places)).astype(np.float64)
    events: list[str] = []
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        figures(TABLE, sums)
    finally:
        sys.setprofile(None)
    return sum(event.endswith("call") for event in events)


def test_the_sums_given_are_left_as_they_were() -> None:
    sums = np.full((len(TABLE.measures), 2), np.nan)
    sums[0] = 5.0
    before = sums.copy()
    figures(TABLE, sums)
    np.testing.assert_array_equal(sums, before)
