"""A nation's minute with everything wrong in it: what the grids find is what a slow, plain look at the rows finds.

How fast it is, `make bench ONLY=audit_interval` says.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from config.catalogue import Kind, Level
from data_quality import Evidence, audit
from data_quality.grid.rhythms import rhythms
from data_quality.registry import RULES
from metrics.findings import CheckState, Finding
from metrics.observations import Interval
from tests.support.audited_nation import EACH, MINUTE, PARTS, RATIO, SPLIT, START, interval, nation

Cells = set[tuple[str, str, str]]
"""Channel, measure, place."""
BAD = (CheckState.FAIL, CheckState.QUERY)
FIGURES = ("CP-02", "CP-03", "TY-01", "TY-03", "AC-01", "AC-02", "TM-05")
"""Rules that look at each figure by itself, and whose faults do not stand where another rule has failed."""


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return interval()


@pytest.fixture(scope="module")
def found(evidence: Evidence) -> list[Finding]:
    return audit(evidence)


def told(found: Iterable[Finding], rule: str) -> Cells:
    """The figures behind a rule's findings; the nation's faults are so few that each finding shows them all."""
    failed = [one for one in found if one.rule == rule and one.state in BAD and one.rows and "place" in one.rows[0]]
    assert all(len(one.rows) == one.bad for one in failed)
    return {
        (one.channel, str(row.get("measure", one.measure)), str(row["place"])) for one in failed for row in one.rows
    }


def plain(evidence: Evidence) -> dict[str, Cells]:
    """What is wrong with each row, by rule, one row after another."""
    measures, regions = evidence.catalogue.measures, evidence.catalogue.regions
    wrong: dict[str, Cells] = {rule: set() for rule in FIGURES}
    times: Counter[tuple[object, ...]] = Counter()
    came: Cells = set()
    for row in evidence.observations.itertuples():
        cell, noun = (row.channel, row.measure, row.region), measures[row.measure]
        if row.region not in regions:
            continue
        times[(*cell, row.dimension, row.reported)] += 1
        if times[(*cell, row.dimension, row.reported)] > 1:
            wrong["TM-05"].add(cell)
        if not row.reported:
            came.add(cell)
        if np.isnan(row.value):
            wrong["CP-03"].add(cell)
        highest = np.inf if noun.maximum is None else noun.maximum
        if np.isinf(row.value) or row.value < noun.minimum or row.value > highest:
            wrong["AC-01"].add(cell)
        if np.isfinite(row.value) and row.value % 1 and noun.kind is Kind.ADDITIVE and noun.unit == "n":
            wrong["TY-01"].add(cell)
        if (row.start - START).total_seconds() % 60:
            wrong["TY-03"].add(cell)
        at_grain = regions[row.region].level is Level.CITY
        if row.dimension.endswith("unheard_of") or at_grain == row.reported or (row.measure == RATIO and row.value > 1):
            wrong["AC-02"].add(cell)
    cities = evidence.catalogue.at_level(Level.CITY)
    pairs = {(channel, measure) for channel, measure, _ in came}
    wrong["CP-02"] = {(*pair, city) for pair in pairs for city in cities} - came
    return wrong


def test_the_rules_of_single_figures_find_what_a_look_at_each_row_finds(
    evidence: Evidence, found: list[Finding]
) -> None:
    wrong = plain(evidence)
    earlier: Cells = set()
    for rule in ("TY-01", "TY-03", "TM-05", "CP-02", "CP-03", "AC-01", "AC-02"):
        assert told(found, rule) == wrong[rule] - earlier, rule
        assert len(wrong[rule]) >= EACH // 2
        earlier |= wrong[rule]


def test_sums_are_judged_exactly_where_all_their_parts_are_well(evidence: Evidence, found: list[Finding]) -> None:
    rows = evidence.observations[~evidence.observations["reported"]]
    table = rows.astype({"channel": str, "measure": str, "region": str})
    table = table.drop_duplicates(["channel", "measure", "region", "dimension"])
    wide = table[table["measure"] != SPLIT].pivot(index=["channel", "region"], columns="measure", values="value")
    whole = wide[["offered", *PARTS, RATIO]].dropna()
    off = whole["offered"] - whole[list(PARTS)].sum(axis=1)
    assert told(found, "AC-03") == {(channel, "offered", region) for channel, region in off[off != 0].index}
    balanced = whole[(off == 0) & (whole[RATIO] <= 1)]
    beside = (balanced[RATIO] - balanced["answered"] / balanced["offered"]).abs() > 0.00005 + 1e-12
    assert told(found, "AC-04") == {(channel, RATIO, region) for channel, region in balanced[beside].index}


def test_totals_are_judged_where_every_city_balances(evidence: Evidence, found: list[Finding]) -> None:
    rows, regions = evidence.observations, evidence.catalogue.regions
    offered = rows[rows["measure"] == "offered"]
    bad = {cell for rule in (*FIGURES, "AC-03") for cell in told(found, rule)}
    spoiled = {(channel, place) for channel, measure, place in bad if measure in ("offered", *PARTS)}
    expected: Cells = set()
    for total in offered[offered["reported"]].itertuples():
        cities = evidence.catalogue.at_level(Level.CITY, total.region)
        assert {regions[city].parent for city in cities} == {total.region}
        parts = offered[(offered["channel"] == total.channel) & offered["region"].isin(cities)]["value"]
        well = spoiled.isdisjoint((total.channel, city) for city in cities)
        if well and abs(parts.sum() - total.value) > max(1, 0.001 * total.value):
            expected.add((total.channel, "offered", total.region))
    assert told(found, "AC-05") == expected != set()


def test_every_rule_finds_something_in_the_faulty_nation_and_nothing_in_the_good_one(found: list[Finding]) -> None:
    assert {one.rule for one in found if one.state in BAD} == set(RULES)
    good = audit(interval(faults=False))
    assert {one.state for one in good} == {CheckState.PASS, CheckState.NA}
    cities = len(nation().at_level(Level.CITY))
    assert sum(one.expected for one in good if one.rule == "CP-02") == 11 * 40 * cities


def test_the_order_of_the_rows_says_nothing(evidence: Evidence, found: list[Finding]) -> None:
    mixed = evidence.observations.sample(frac=1.0, random_state=1)
    again = Evidence(
        evidence.catalogue, evidence.now, evidence.interval, mixed, evidence.batches, evidence.row_checks,
        asked_since=evidence.asked_since, channels=(),
    )  # fmt: skip
    assert audit(again) == found


def test_channels_are_judged_together_as_each_is_alone(evidence: Evidence, found: list[Finding]) -> None:
    apart = [replace(evidence, channels=(name,)) for name in evidence.catalogue.channels]
    assert [finding for one in apart for finding in audit(one)] == found


def test_channels_of_several_rhythms_and_measures_are_judged_as_each_is_alone(evidence: Evidence) -> None:
    channels = {
        name: one.model_copy(update={"interval_s": (60, 120, 180)[at % 3], "sources": one.sources[: 1 + at % 2]})
        for at, (name, one) in enumerate(evidence.catalogue.channels.items())
    }
    catalogue = evidence.catalogue.model_copy(update={"channels": channels})
    longer = replace(evidence, catalogue=catalogue, interval=Interval(START, START + 5 * MINUTE))
    apart = [replace(longer, channels=(name,)) for name in channels]
    assert [finding for one in apart for finding in audit(one)] == audit(longer)


@pytest.mark.parametrize(("most", "grids"), [(10**9, 1), (440 * 432, 1), (200 * 432, 3), (1, 11)])
def test_a_grid_holds_the_channels_of_a_rhythm_that_fit_into_it(
    evidence: Evidence, found: list[Finding], monkeypatch: pytest.MonkeyPatch, most: int, grids: int
) -> None:
    monkeypatch.setitem(rhythms.__globals__, "MOST_CELLS", most)
    laid = [[channel.id for channel in together] for _, together in rhythms(evidence)]
    assert len(laid) == grids
    assert [name for names in laid for name in names] == list(evidence.catalogue.channels)
    assert audit(evidence) == found


def test_what_has_no_maximum_is_still_not_infinite() -> None:
    good = interval(faults=False)
    measure = "talk_s"
    known, rows = good.catalogue.measures, good.observations
    measures = known | {measure: known[measure].model_copy(update={"maximum": None})}
    catalogue = good.catalogue.model_copy(update={"measures": measures})
    own = np.flatnonzero((rows["measure"] == measure) & ~rows["reported"])[:2]
    value = rows["value"].to_numpy().copy()
    value[own] = np.inf, -np.inf
    bad = audit(replace(good, catalogue=catalogue, observations=rows.assign(value=value)))
    assert told(bad, "AC-01") == {(one.channel, measure, one.region) for one in rows.iloc[own].itertuples()}
