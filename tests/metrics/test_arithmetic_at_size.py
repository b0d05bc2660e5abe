"""All metrics over a nation of places in one go, whatever the shape."""

import time

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


def test_80_000_columns_take_a_fraction_of_a_second() -> None:
    sums = np.random.default_rng(1).integers(0, 500, (len(TABLE.measures), 1700)).astype(np.float64)
    began = time.process_time()
    found = figures(TABLE, sums)
    assert found.value.size >= 80_000
    assert time.process_time() - began < 0.5


def test_the_sums_given_are_left_as_they_were() -> None:
    sums = np.full((len(TABLE.measures), 2), np.nan)
    sums[0] = 5.0
    before = sums.copy()
    figures(TABLE, sums)
    np.testing.assert_array_equal(sums, before)
