"""Every worked example of every metric file, by both ways of working it out."""

import numpy as np
import pytest

from config.catalogue import Example, Metric
from config.loading import load
from metrics.arithmetic import figure, figures
from metrics.formula import formula_of, formula_table

EXAMPLES = [
    pytest.param(metric, example, id=f"{metric.id}-{number}")
    for metric in load().metrics.values()
    for number, example in enumerate(metric.examples)
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2 * len(load().metrics)


@pytest.mark.parametrize(("metric", "example"), EXAMPLES)
def test_example(metric: Metric, example: Example) -> None:
    formula = formula_of(metric, example.variant)
    alone = figure(formula, example.measures).value
    assert alone == (None if example.value is None else pytest.approx(example.value, abs=5e-7))
    measures = tuple(example.measures)
    sums = np.array([[example.measures[measure]] for measure in measures])
    together = figures(formula_table({metric.id: formula}, measures), sums).value[0, 0]
    assert together == pytest.approx(np.nan if alone is None else alone, nan_ok=True)
