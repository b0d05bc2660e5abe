"""However a whole is cut into places, dimensions and intervals, its parts give the figures of the whole."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import Kind
from config.loading import load
from metrics.arithmetic import Figures, figure, figures
from metrics.formula import metric_table
from metrics.rollup import roll_up

CATALOGUE = load()
MEASURES = tuple(CATALOGUE.measures)
ADDITIVE = tuple(name for name, measure in CATALOGUE.measures.items() if measure.kind is Kind.ADDITIVE)
TABLE = metric_table(CATALOGUE.metrics, MEASURES)
START = datetime(2026, 11, 21, tzinfo=UTC)

contacts = st.lists(
    st.tuples(st.sampled_from(ADDITIVE), st.integers(0, 5), st.integers(0, 12), st.integers(0, 500)), max_size=60
)
"""(measure, region, interval, count)."""


def frame(rows: list[tuple[str, int, int, int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["measure", "region", "interval", "value"])
    starts = [START + timedelta(minutes=int(interval)) for interval in table["interval"]]
    return table.assign(channel="hotline", start=pd.DatetimeIndex(starts, dtype="datetime64[s, UTC]"))


def worked_out(table: pd.DataFrame, by: list[str]) -> Figures:
    """Figures (metric, part); a measure without a row is a zero that was read."""
    sums = roll_up(table, CATALOGUE.measures, by).pivot_table(
        index=by or (lambda _: 0), columns="measure", values="value"
    )
    return figures(TABLE, sums.reindex(columns=list(MEASURES)).fillna(0.0).to_numpy().T)


@settings(deadline=None, max_examples=60)
@given(rows=contacts.filter(bool), cut=st.integers(0, 12), keys=st.sampled_from([["region"], ["interval"], ["part"]]))
def test_parts_of_any_split_sum_to_the_whole(rows: list[tuple[str, int, int, int]], cut: int, keys: list[str]) -> None:
    table = frame(rows)
    table["part"] = table["interval"] < cut
    whole, parts = worked_out(table, []), worked_out(table, keys)
    np.testing.assert_array_equal(parts.numerator.sum(axis=1), whole.numerator[:, 0])
    np.testing.assert_array_equal(parts.denominator.sum(axis=1), whole.denominator[:, 0])


@settings(deadline=None, max_examples=60)
@given(
    cells=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=40),
    cut=st.integers(1, 9),
    groups=st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_levels_and_peaks_do_not_depend_on_how_the_map_is_drawn(
    cells: list[tuple[int, int, int]], cut: int, groups: list[int]
) -> None:
    """Places may be grouped in any way first; a peak may also be cut in time."""
    for measure in ("queue_length", "longest_wait"):
        full = {(place, minute): value for place, minute, value in cells}
        # Every place is counted at every minute: a place that says nothing is a gap, not a split.
        rows = frame([(measure, p, m, full.get((p, m), 0)) for p in range(6) for m in range(10)])
        whole = roll_up(rows, CATALOGUE.measures)["value"].item()
        rows["province"] = [groups[place] for place in rows["region"]]
        provinces = roll_up(rows, CATALOGUE.measures, ["province"])["value"]
        assert (provinces.sum() if measure == "queue_length" else provinces.max()) == whole
        rows["half"] = rows["interval"] >= cut
        fractions = roll_up(rows, CATALOGUE.measures, ["half"])["value"]
        assert (fractions.iloc[-1] if measure == "queue_length" else fractions.max()) == whole


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_the_matrix_and_the_plain_way_agree(data: st.DataObject) -> None:
    amounts = st.one_of(st.none(), st.integers(0, 10_000))
    known = data.draw(st.fixed_dictionaries(dict.fromkeys(MEASURES, amounts)))
    sums = {measure: float(amount) for measure, amount in known.items() if amount is not None}
    column = np.array([[sums.get(measure, np.nan)] for measure in MEASURES])
    together = figures(TABLE, column)
    for row, (name, metric) in enumerate(CATALOGUE.metrics.items()):
        alone = figure(metric.formula, sums)
        for part in ("value", "numerator", "denominator", "n"):
            expected = getattr(alone, part)
            found = getattr(together, part)[row, 0]
            assert found == pytest.approx(np.nan if expected is None else expected, nan_ok=True), (name, part)
