"""The eleven rules of arithmetic, one after the other.

Rules that end in the store or on the glass (5, 8, 9, 10) are tested here as far as they are pure.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from config.catalogue import DayPlan, Kind, Measure, Metric, Text
from config.formula import FormulaError, linear_terms
from config.loading import load
from metrics.arithmetic import figure, figures
from metrics.distinct import mark_of, people
from metrics.formula import formula_of, metric_table
from metrics.intervals import aware, buckets, day_start, floor_to
from metrics.observations import Interval, NaiveTime
from metrics.percentiles import band_of, percentile
from metrics.proportions import wilson_interval
from metrics.readings import State
from metrics.rollup import roll_up
from metrics.states import state_of

CATALOGUE = load()
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PLACES = pd.DataFrame(
    {"answered": [725.0, 37.0, 0.0, np.nan], "offered": [1092.0, 74.0, 0.0, 12.0]},
    index=["busy", "quiet", "closed", "unread"],
)


def metric(name: str) -> Metric:
    return CATALOGUE.metrics[name]


def observations(measure: str, cells: Mapping[tuple[str, int], float]) -> pd.DataFrame:
    """Values by (region, minute after noon)."""
    return pd.DataFrame(
        [
            {
                "measure": measure,
                "channel": "hotline",
                "region": region,
                "start": NOON + timedelta(minutes=m),
                "value": v,
            }
            for (region, m), v in cells.items()
        ]
    )


def rolled(rows: pd.DataFrame) -> float:
    return float(roll_up(rows, CATALOGUE.measures)["value"].item())


def test_rule_1_a_measure_is_additive_a_level_or_a_peak_and_never_a_ratio() -> None:
    assert {measure.kind for measure in CATALOGUE.measures.values()} == set(Kind)
    assert {measure.unit for measure in CATALOGUE.measures.values()} == {"n", "s"}
    name = Text(zh="率", en="rate")
    for wrong in ({"kind": "ratio", "unit": "n"}, {"kind": "mean", "unit": "s"}, {"kind": "additive", "unit": "ratio"}):
        with pytest.raises(ValidationError):
            Measure.model_validate({"id": "rate", "name": name} | wrong)
    with pytest.raises(FormulaError):
        linear_terms("answered / offered")


def test_rule_2_sums_are_divided_last() -> None:
    rate = metric("answer_rate").formula
    total = figure(rate, {"answered": 725 + 37, "offered": 1092 + 74})
    assert (total.numerator, total.denominator) == (762, 1166)
    assert total.value == pytest.approx(0.6535, abs=5e-5)
    mean_of_rates = np.mean([figure(rate, PLACES.loc[place].to_dict()).value for place in ("busy", "quiet")])
    assert mean_of_rates == pytest.approx(0.58196, abs=5e-6)
    assert total.value != pytest.approx(mean_of_rates, abs=0.05)


def test_rule_3_a_level_sums_over_places_at_one_instant_and_never_over_time() -> None:
    cells = {("a", 0): 4.0, ("b", 0): 5.0, ("a", 1): 6.0, ("b", 1): 1.0}
    assert CATALOGUE.measures["queue_length"].over_time == "last"
    assert rolled(observations("queue_length", cells)) == 7
    assert CATALOGUE.measures["agents_on_duty"].over_time == "mean"
    assert rolled(observations("agents_on_duty", cells)) == 8
    largest = {"queue_length": CATALOGUE.measures["queue_length"].model_copy(update={"over_time": "max"})}
    assert roll_up(observations("queue_length", cells), largest)["value"].item() == 9


def test_rule_3_a_peak_takes_the_largest_both_ways() -> None:
    cells = {("a", 0): 40.0, ("b", 0): 50.0, ("a", 1): 65.0, ("b", 1): 10.0}
    assert rolled(observations("longest_wait", cells)) == 65


def test_rule_3_a_person_in_several_queues_is_one_person() -> None:
    queues = {"one": {"ada", "eve"}, "two": {"ada", "bob"}}
    one, two = ({mark_of(hashlib.sha256(name.encode()).hexdigest()) for name in names} for names in queues.values())
    assert (people(one), people(two), people(one | two)) == (2, 2, 3)


def test_rule_4_percentiles_come_from_merged_counts_never_from_averaged_percentiles() -> None:
    generator = np.random.default_rng(4)
    busy, quiet = generator.uniform(0, 20, 5000), generator.uniform(60, 150, 50)
    counts = [Counter(band_of(wait, 0.02) for wait in waits) for waits in (busy, quiet)]
    merged = percentile(counts[0] + counts[1], 0.5, 0.02)
    truth = float(np.quantile(np.concatenate([busy, quiet]), 0.5, method="lower"))
    averaged = (np.quantile(busy, 0.5) + np.quantile(quiet, 0.5)) / 2
    assert merged == pytest.approx(truth, rel=0.02)
    assert abs(averaged - truth) > 40


def test_rule_5_every_metric_declares_its_attribution() -> None:
    assert {one.attribution for one in CATALOGUE.metrics.values()} == {"arrival_cohort", "event_time", "instant"}


def test_rule_5_in_arrival_cohorts_no_ratio_passes_one() -> None:
    """A rush at 12:04 is answered at 12:06: counted when answered, 12:05 would have more answers than contacts."""
    arrivals = [NOON + timedelta(minutes=4, seconds=s) for s in range(20)] + [NOON + timedelta(minutes=6)]
    answers = [NOON + timedelta(minutes=6, seconds=s) for s in range(21)]
    cohorts = Counter(floor_to(arrival, 300) for arrival in arrivals)
    answered_then = Counter(floor_to(answer, 300) for answer in answers)
    rate = metric("answer_rate").formula
    by_cohort = [figure(rate, {"answered": count, "offered": count}).value for count in cohorts.values()]
    by_event = [figure(rate, {"answered": answered_then[start], "offered": cohorts[start]}).value for start in cohorts]
    assert by_cohort == [1.0, 1.0]
    assert by_event == [0.0, 21.0]


def test_rule_5_an_open_cohort_holds_its_waiting_contacts() -> None:
    """`waiting` is additive by cohort, so the balance holds for each interval and for any sum of them."""
    assert CATALOGUE.measures["waiting"].kind is Kind.ADDITIVE
    assert metric("waiting").attribution == "arrival_cohort"


def test_rule_6_offered_is_answered_abandoned_flowed_out_and_waiting_in_every_sum() -> None:
    generator = np.random.default_rng(6)
    parts = pd.DataFrame(
        generator.integers(0, 50, (40, 4)), columns=["answered", "abandoned", "flowed_out", "waiting"]
    ).assign(offered=lambda rows: rows.sum(axis=1), channel="hotline", start=NOON, region=np.arange(40) % 5)
    rows = parts.melt(id_vars=["channel", "start", "region"], var_name="measure", value_name="value")
    for by in ([], ["region"]):
        sums = roll_up(rows, CATALOGUE.measures, by).pivot_table(
            index=by or (lambda _: 0), columns="measure", values="value", sort=False
        )
        parts_of_offered = sums[["answered", "abandoned", "flowed_out", "waiting"]].sum(axis=1)
        assert (sums["offered"] == parts_of_offered).all()


def test_rule_6_waiting_and_flowed_out_contacts_are_not_in_the_service_level() -> None:
    """F3 equals answered in time / offered exactly where nobody waits or has flowed out (decision 0003)."""
    level = metric("service_level_20s")
    assert level.formula == level.variants["F3"]
    closed = {"answered_20s": 8.0, "answered": 9.0, "abandoned": 1.0}
    assert figure(level.formula, closed).value == 8 / (9 + 1)


def test_rule_7_no_value_unread_and_zero_are_three_different_things() -> None:
    table = metric_table({"answer_rate": metric("answer_rate")}, ("answered", "offered"))
    found = figures(table, PLACES.to_numpy().T)
    closed, unread = PLACES.index.get_loc("closed"), PLACES.index.get_loc("unread")
    assert np.isnan(found.value[0, closed])
    assert found.n[0, closed] == 0
    for part in (found.value, found.numerator, found.denominator, found.n):
        assert np.isnan(part[0, unread])
    zero = figure(metric("answer_rate").formula, {"answered": 0.0, "offered": 7.0})
    assert zero.value == 0.0
    assert figure(metric("answer_rate").formula, {"answered": 0.0, "offered": 0.0}).value is None
    assert figure(metric("answer_rate").formula, {"offered": 7.0}).n is None
    assert state_of(metric("answer_rate"), None, 0) is State.NO_VALUE


def test_rule_8_a_naive_time_is_refused_with_its_source_named() -> None:
    naive = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 - the point of the test
    with pytest.raises(NaiveTime, match="call log line 7"):
        aware(naive, "call log line 7")
    with pytest.raises(NaiveTime):
        Interval(naive, naive)


def test_rule_8_intervals_are_half_open_and_the_day_is_shanghais() -> None:
    midnight = day_start(NOON, DayPlan())
    assert midnight == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    assert day_start(midnight, DayPlan()) == midnight
    assert day_start(midnight - timedelta(microseconds=1), DayPlan()) == midnight - timedelta(days=1)
    pieces = list(buckets(Interval(midnight, midnight + timedelta(days=1)), "hour", DayPlan()))
    assert len(pieces) == 24
    assert all(one.end == two.start for one, two in pairwise(pieces))


def test_rule_9_a_definition_has_a_version_and_a_validity() -> None:
    for one in CATALOGUE.metrics.values():
        assert one.ownership.version >= 1
        assert one.ownership.valid_from <= one.ownership.reviewed_on
    without = metric("asa").model_dump()
    del without["ownership"]["version"]
    with pytest.raises(ValidationError):
        Metric.model_validate(without)


def test_rule_10_a_correction_that_replaces_its_key_is_the_same_as_never_having_been_wrong() -> None:
    """What the store keeps (the newer revision of a key) is all that sums look at; the order of rows says nothing."""
    kept = observations("offered", {("a", 0): 10.0, ("a", 1): 12.0, ("b", 0): 3.0})
    assert rolled(kept) == rolled(kept.iloc[::-1]) == 25


def test_rule_11_few_votes_are_too_few_and_not_red() -> None:
    csat = metric("csat")
    assert csat.data_rule.minimum_n == 30
    assert state_of(csat, 0.5, 4) is State.TOO_FEW
    assert state_of(csat, 0.5, 30) is State.CRITICAL
    assert wilson_interval(2, 4) == pytest.approx((0.1500, 0.8500), abs=5e-5)


@pytest.mark.parametrize(("variant", "percent"), [("F1", 83.0), ("F2", 86.0), ("F3", 81.1), ("F4", 82.7), ("F5", 82.1)])
def test_the_five_service_levels_are_never_mixed(variant: str, percent: float) -> None:
    sums = {"answered": 1000, "abandoned": 60, "answered_20s": 860, "abandoned_20s": 20, "short_abandoned": 10}
    value = figure(formula_of(metric("service_level_20s"), variant), sums).value
    assert value is not None
    assert round(value * 100, 1) == percent


def test_an_unknown_variant_names_those_that_exist() -> None:
    with pytest.raises(KeyError, match="F1, F2, F3, F4, F5"):
        formula_of(metric("service_level_20s"), "F9")
