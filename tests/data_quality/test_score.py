"""Scores against vectors worked out by hand.

Metrics of the little world: answer_rate (class A, weight 3; offered, answered), staff (B, 2; agents_on_duty),
voices (C, 1; votes).
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from data_quality.registry import RULES, Dimension, Sight, Stage, Verdict, rule
from data_quality.score import scores
from metrics.findings import CheckState, Finding
from metrics.readings import SCORES
from tests.support.example_world import world

CATALOGUE = world()


def check(
    rule: str, state: CheckState, measure: str, bad: int, expected: int, region: str = "", **facts: int | str
) -> Finding:
    channel, source = ("survey", "form") if measure == "votes" else ("hotline", "acd")
    source = "desk" if measure == "agents_on_duty" else source
    return Finding(rule, state, channel, source, region, measure, bad=bad, expected=expected, facts=facts)


def score(findings: list[Finding], kind: str, key: str, dimension: str) -> tuple[Any, Any]:
    frame = scores(findings, CATALOGUE)
    assert list(frame.columns) == SCORES.columns
    (row,) = frame[(frame["kind"] == kind) & (frame["key"] == key) & (frame["dimension"] == dimension)].itertuples()
    return row.score, row.coverage


PASSED, FAILED, BLOCKED = CheckState.PASS, CheckState.FAIL, CheckState.BLOCKED


def test_metrics_weigh_by_class_and_not_by_volume() -> None:
    found = [
        check("AC-01", PASSED, "offered", 10, 100),
        check("AC-01", PASSED, "agents_on_duty", 1, 2),
        check("AC-01", PASSED, "votes", 0, 1_000_000),
    ]
    # (3 x 0.9 + 2 x 0.5 + 1 x 1.0) / 6
    assert score(found, "nation", "100000", "accuracy") == (pytest.approx(100 * 4.7 / 6), 1.0)


def test_a_metrics_checks_are_summed_before_they_are_divided() -> None:
    found = [check("AC-01", PASSED, "offered", 1, 10), check("AC-01", PASSED, "answered", 0, 30)]
    assert score(found, "nation", "100000", "accuracy")[0] == pytest.approx(100 * (1 - 1 / 40))


def test_root_issues_take_points_once_a_province_and_source_and_are_capped() -> None:
    same = [check(rule, FAILED, "offered", 0, 10, "130000") for rule in ("AC-01", "AC-03")]
    assert score(same, "nation", "100000", "accuracy")[0] == 97.0
    provinces = [code for code in CATALOGUE.regions if code.endswith("0000")]
    many = [check("AC-01", FAILED, "offered", 0, 10, f"{code}{at}") for code in provinces for at in range(9)]
    assert score(many, "nation", "100000", "accuracy")[0] == 80.0


def test_a_blocked_consequence_takes_nothing_off_but_lowers_the_coverage() -> None:
    found = [check("CP-02", PASSED, "offered", 0, 97), check("CP-02", BLOCKED, "offered", 0, 3, "130000")]
    assert score(found, "nation", "100000", "completeness") == (100.0, pytest.approx(0.97))


def test_below_the_least_coverage_a_dimension_is_not_rated() -> None:
    found = [check("CP-02", PASSED, "offered", 0, 90, blocked=10)]
    value, coverage = score(found, "nation", "100000", "completeness")
    assert math.isnan(value)
    assert coverage == pytest.approx(0.9)


def test_a_check_that_could_not_run_covers_nothing() -> None:
    found = [
        check("AC-01", PASSED, "offered", 0, 10),
        Finding("AC-03", CheckState.ERROR, "hotline"),
    ]
    value, coverage = score(found, "source", "hotline/acd", "accuracy")
    assert (value, coverage) == (100.0, 1.0), "an error names no source"
    value, coverage = score(found, "nation", "100000", "accuracy")
    assert math.isnan(value)
    # answer_rate: one of two checks; staff: none of one. (3 x 1/2 + 2 x 0) / 5
    assert coverage == pytest.approx(0.3)


def test_the_total_is_weighed_over_what_is_rated_and_says_how_much_of_the_ruled_weight_that_is() -> None:
    found = [check("AC-01", PASSED, "offered", 1, 10), check("CP-02", PASSED, "offered", 0, 10)]
    value, coverage = score(found, "nation", "100000", "total")
    assert value == pytest.approx((0.30 * 100 + 0.35 * 90) / 0.65)
    assert coverage == pytest.approx(0.65 / 0.85)


def test_a_dimension_without_rules_has_no_coverage_to_lose() -> None:
    found = [check(rule, PASSED, name, 0, 10) for rule in ("CP-02", "AC-01", "TM-01") for name in ("offered", "votes")]
    assert score(found, "nation", "100000", "total") == (pytest.approx(100.0), 1.0)
    assert all(math.isnan(one) for one in score(found, "nation", "100000", "authenticity"))


@pytest.fixture
def rule_of_authenticity() -> Iterator[str]:
    @rule("AU-01", dimension=Dimension.AUTHENTICITY, stage=Stage.AUTHENTICITY)
    def nobody_copied(sight: Sight) -> Iterator[Verdict]:
        yield from ()

    yield "AU-01"
    del RULES["AU-01"]


def test_the_first_rule_of_a_dimension_makes_it_count(rule_of_authenticity: str) -> None:
    found = [check(rule, PASSED, "offered", 0, 10) for rule in ("CP-02", "AC-01", "TM-01")]
    assert score(found, "nation", "100000", "total") == (pytest.approx(100.0), pytest.approx(0.85))
    found.append(check(rule_of_authenticity, PASSED, "offered", 1, 10))
    assert score(found, "nation", "100000", "authenticity") == (pytest.approx(90.0), 1.0)


def test_a_province_answers_for_its_own_and_shares_what_is_told_once() -> None:
    found = [
        check("CP-02", FAILED, "offered", 1, 4, "130000"),
        check("CP-02", PASSED, "offered", 0, 2, groups=1),
        check("CP-02", PASSED, "answered", 0, 6, groups=3),
    ]
    # Hebei: offered 1 of 4, answered 0 of 6/3; 3 points for a major issue.
    assert score(found, "province", "130000", "completeness")[0] == pytest.approx(100 * (1 - 1 / 6) - 3)
    assert score(found, "province", "110000", "completeness")[0] == 100.0


def test_several_measures_in_one_finding_share_its_units() -> None:
    both = Finding(
        "CP-02", FAILED, "hotline", "acd", "130000", "", bad=2, expected=8, facts={"measures": "offered,answered"}
    )
    assert score([both], "source", "hotline/acd", "completeness")[0] == pytest.approx(75 - 3)


def test_what_is_not_applicable_or_unknown_is_no_check() -> None:
    found = [Finding("AC-01", CheckState.NA, "hotline"), Finding("AC-01", PASSED, "gone", "x", expected=9)]
    value, coverage = score(found, "nation", "100000", "total")
    assert math.isnan(value)
    assert coverage == 0.0


def test_the_same_findings_in_any_order_give_the_same_scores() -> None:
    found = [check("AC-01", PASSED, name, bad, 10) for bad, name in enumerate(("offered", "answered", "votes"))]
    assert scores(found, CATALOGUE).equals(scores(found[::-1], CATALOGUE))
