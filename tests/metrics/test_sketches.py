"""Percentiles and numbers of people: exact under any split, off by no more than they say."""

import hashlib
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.catalogue import Sketch, SketchExample
from config.loading import load
from metrics.arithmetic import Figure
from metrics.distinct import REGISTERS, mark_of, people
from metrics.percentiles import band_of, percentile
from metrics.sketches import sketch_figure

CATALOGUE = load()
EXAMPLES = [
    pytest.param(sketch, example, id=f"{sketch.id}-{number}")
    for sketch in CATALOGUE.sketches.values()
    for number, example in enumerate(sketch.examples)
]
MEDIAN, CUSTOMERS = CATALOGUE.sketches["wait_p50"], CATALOGUE.sketches["customers"]
waits = st.lists(st.just(0.0) | st.floats(1e-3, 86_400), min_size=1, max_size=200)


def mark(name: str) -> str:
    return mark_of(hashlib.sha256(name.encode()).hexdigest())


@pytest.mark.parametrize(("sketch", "example"), EXAMPLES)
def test_example(sketch: Sketch, example: SketchExample) -> None:
    accuracy = CATALOGUE.accuracies.get(sketch.dimension)
    named = (mark(case) if isinstance(case, str) else band_of(case, accuracy or 0) for case in example.cases)
    expected = None if example.value is None else pytest.approx(example.value, rel=accuracy or 0)
    assert sketch_figure(sketch, Counter(named), accuracy).value == expected


@given(one=waits, other=waits, share=st.floats(0, 1), accuracy=st.sampled_from([0.005, 0.02, 0.1]))
def test_merged_counts_give_the_percentile_of_the_whole_within_its_error(
    one: list[float], other: list[float], share: float, accuracy: float
) -> None:
    merged = Counter(band_of(wait, accuracy) for wait in one) + Counter(band_of(wait, accuracy) for wait in other)
    found = percentile(merged, share, accuracy)
    truth = float(np.quantile(one + other, share, method="lower"))
    assert found == pytest.approx(truth, rel=accuracy * (1 + 1e-9), abs=0)
    assert found == percentile(dict(reversed(merged.items())), share, accuracy)


@given(st.floats(1e-6, 1e9), st.sampled_from([0.005, 0.02, 0.1]))
def test_a_band_is_named_by_a_number_inside_it(value: float, accuracy: float) -> None:
    name = band_of(value, accuracy)
    assert band_of(float(name), accuracy) == name
    assert band_of(-value, accuracy) == f"-{name}"


def test_cases_without_a_band_are_not_ranked_and_the_figure_says_so() -> None:
    figure = sketch_figure(MEDIAN, {"10": 3.0, "": 1.0, "long": 1.0, "inf": 1.0, "20": 0.0}, 0.02)
    assert figure == Figure(pytest.approx(10, rel=0.02), None, 6.0, 3.0)  # type: ignore[arg-type]  # pytest's own kind
    assert sketch_figure(MEDIAN, {"": 2.0}, 0.02) == Figure(None, None, 2.0, 0.0)
    assert sketch_figure(MEDIAN, {}, 0.02) == Figure(None, None, None, None)


def test_contacts_without_a_mark_are_nobody_and_the_figure_says_so() -> None:
    counts = {mark("ada"): 5.0, mark("eve"): 1.0, "": 3.0, "ada": 1.0, "1024.3": 1.0, "3.0": 1.0}
    assert sketch_figure(CUSTOMERS, counts, None) == Figure(2.0, None, 12.0, 6.0)
    assert sketch_figure(CUSTOMERS, {"": 3.0}, None) == Figure(None, None, 3.0, 0.0)


@pytest.mark.parametrize("truth", [30, 1000, 2500, 50_000])
def test_people_are_counted_within_the_standard_error(truth: int) -> None:
    """No bias and the spread that theory says, over twenty populations: 1.04 / sqrt(1024) = 3.25 %."""
    chance = random.Random(truth)
    errors = []
    for _ in range(20):
        bits = (chance.getrandbits(64) for _ in range(truth))
        errors.append(people({mark_of(f"{one:016x}") for one in bits}) / truth - 1)
    assert abs(np.mean(errors)) < 3 * 0.0325 / np.sqrt(20)
    assert np.std(errors) < 2 * 0.0325


def test_every_register_can_be_met_and_the_last_rank_is_a_mark() -> None:
    assert mark_of("f" * 64) == f"{REGISTERS - 1}.1"
    assert mark_of("0" * 64) == "0.55"
    assert people(["0.55"]) == 1
