"""What holds for the audit as a whole, whatever the rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_quality import Evidence, audit
from data_quality.registry import RECORDED, RULES, Dimension, Sight, Stage, Verdict, in_order, rule
from metrics.findings import CheckState, Finding
from metrics.observations import Interval, NaiveTime
from tests.support.audited_nation import interval
from tests.support.example_world import at, batches, evidence, whole, world

CATALOGUE = world()
MINUTE = ("10:00", "10:01")
UNHURRIED = settings(deadline=None, max_examples=40)
"""Other work shares the machine, so an example's time says nothing."""
BREAKING = "hotline"
"""The channel at which the broken rule breaks."""
SEEN = {CheckState.PASS, CheckState.FAIL, CheckState.QUERY}


def of(rule_id: str, found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.rule == rule_id]


def one_minute(rows: Sequence[Mapping[str, object]]) -> Evidence:
    return evidence({"now": "10:05", "interval": list(MINUTE), "observations": rows}, CATALOGUE)


@pytest.fixture
def broken_rule() -> Iterator[str]:
    @rule("AC-99", dimension=Dimension.ACCURACY, stage=Stage.VALIDITY)
    def nothing_breaks(sight: Sight) -> Iterator[Verdict]:
        if any(sender.channel.id == BREAKING for sender in sight.grid.schedule.senders):
            raise KeyError(BREAKING)
        yield from ()

    yield "AC-99"
    del RULES["AC-99"]


def test_a_rule_that_raises_is_an_error_and_the_others_go_on(broken_rule: str) -> None:
    found = audit(one_minute([]))
    (error,) = of(broken_rule, found)
    assert (error.state, error.facts["error"]) == (CheckState.ERROR, "KeyError")
    assert {one.rule for one in found} == set(RULES)


def test_a_rule_that_raises_at_one_channel_leaves_the_others_as_they_are(broken_rule: str) -> None:
    whole = interval()
    found = audit(whole)
    assert [(one.channel, one.state) for one in of(broken_rule, found)] == [
        (name, CheckState.ERROR if name == BREAKING else CheckState.NA) for name in whole.catalogue.channels
    ]
    del RULES[broken_rule]
    try:
        assert [one for one in found if one.rule != broken_rule] == audit(whole)
    finally:
        rule(broken_rule, dimension=Dimension.ACCURACY, stage=Stage.VALIDITY)(lambda sight: [])


def test_a_rule_is_registered_once(broken_rule: str) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        rule(broken_rule, dimension=Dimension.ACCURACY, stage=Stage.VALIDITY)(lambda sight: [])


def test_nothing_passes_when_nothing_is_there_to_be_seen() -> None:
    blind = replace(one_minute([]), batches=batches([]), asked_since={}, now=at("10:00:30"))
    assert {one.state for one in audit(blind)} == {CheckState.NA}


def test_no_rule_breaks_where_nothing_is_expected_and_nothing_came() -> None:
    """Such a channel has no region at all yet: its table of cells is empty."""
    hotline = CATALOGUE.channels["hotline"]
    sources = [
        source.model_copy(
            update={"delivers": tuple(one.model_copy(update={"expected": False}) for one in source.delivers)}
        )
        for source in hotline.sources
    ]
    quiet = hotline.model_copy(update={"sources": tuple(sources)})
    catalogue = CATALOGUE.model_copy(update={"channels": {"hotline": quiet}})
    found = audit(evidence({"now": "10:05", "interval": list(MINUTE)}, catalogue))
    assert {one.rule for one in found} == set(RULES)
    assert CheckState.ERROR not in {one.state for one in found}


def test_stages_come_in_order_and_limits_are_those_of_the_book() -> None:
    stages = [list(Stage).index(one.stage) for one in in_order()]
    assert stages == sorted(stages)
    book = CATALOGUE.rules.rules
    assert set(book) == set(RULES) | set(RECORDED)
    limits = {name: set(one.limits) for name, one in RULES.items()}
    assert {name: set(setting.limits) for name, setting in book.items()} == limits | {name: set() for name in RECORDED}


def test_a_lost_source_is_one_root_issue() -> None:
    lost = replace(one_minute([]), batches=batches([]))
    failed = [one for one in audit(lost) if one.state is CheckState.FAIL and one.rule != "TM-03"]
    assert {(one.rule, one.source) for one in failed} == {("CP-01", "acd"), ("CP-01", "desk")}
    assert len(failed) == 2
    assert str(failed[0].facts["blocks"]).split(",")[:2] == ["CP-02", "CP-04"]


def test_keys_of_findings_do_not_repeat() -> None:
    rows = [{"measure": "offered", "start": "10:00", "values": {"110100": -1, "130100": None, "999999": 3}}]
    keys = [(one.about_rows, one.key) for one in audit(one_minute(rows))]
    assert len(keys) == len(set(keys))


def test_category_and_text_columns_say_the_same() -> None:
    plain = one_minute([{"measure": "offered", "start": "10:00", "values": {"110100": 5, "130100": 20000}}])
    names = ["channel", "measure", "region", "dimension"]
    coded = plain.observations.astype(dict.fromkeys(names, "category"))
    assert audit(replace(plain, observations=coded)) == audit(plain)


def test_naive_times_are_refused_naming_the_column() -> None:
    good = one_minute([])
    with pytest.raises(NaiveTime, match="'start' of the evidence's batches"):
        replace(good, batches=good.batches.assign(start=pd.to_datetime(["2026-03-02"] * len(good.batches))))
    with pytest.raises(NaiveTime, match="now"):
        replace(good, now=datetime(2026, 3, 2))  # noqa: DTZ001 (a naive time is the test)


def test_the_range_may_be_shorter_than_an_interval() -> None:
    short = replace(one_minute([]), interval=Interval(at("10:00:10"), at("10:00:20")))
    assert {one.state for one in audit(short) if not one.about_rows} == {CheckState.NA}


@UNHURRIED
@given(cities=st.lists(st.integers(0, 3000), min_size=2, max_size=2), beside=st.integers(-20, 20))
def test_a_total_fails_exactly_when_it_is_further_off_than_it_may_be(cities: list[int], beside: int) -> None:
    total = max(0, sum(cities) + beside)
    values = dict(zip(("130100", "130200"), cities, strict=True)) | {"110100": 1}
    rows: list[dict[str, object]] = [
        {"measure": name, "start": "10:00", "values": values} for name in ("offered", "answered")
    ]
    rows.append({"measure": "offered", "start": "10:00", "reported": True, "values": {"130000": total}})
    (finding,) = of("AC-05", audit(one_minute(rows)))
    off = abs(total - sum(cities)) > max(1, 0.001 * total)
    assert finding.state is (CheckState.FAIL if off else CheckState.PASS)


@UNHURRIED
@given(parts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=4))
def test_offered_balances_for_any_split_and_never_with_one_more(parts: list[tuple[int, int, int]]) -> None:
    def rows(extra: int) -> list[dict[str, object]]:
        table: list[dict[str, object]] = []
        for at_key, numbers in enumerate(parts):
            key = f"service_type={at_key}"
            for name, value in zip(("answered", "abandoned", "flowed_out"), numbers, strict=True):
                table.append({"measure": name, "start": "10:00", "dimension": key, "values": {"110100": value}})
            offered = sum(numbers) + (extra if at_key == 0 else 0)
            table.append({"measure": "offered", "start": "10:00", "dimension": key, "values": {"110100": offered}})
        return table

    open_codes = CATALOGUE.channels["hotline"].model_copy(update={"dimensions": {}})
    catalogue = CATALOGUE.model_copy(update={"channels": {"hotline": open_codes}})
    for extra, state in ((0, CheckState.PASS), (1, CheckState.FAIL)):
        example = {"now": "10:05", "interval": list(MINUTE), "observations": rows(extra)}
        (finding,) = of("AC-03", audit(evidence(example, catalogue)))
        assert (finding.state, finding.expected) == (state, len(parts))


@UNHURRIED
@given(digits=st.integers(2, 5), answered=st.integers(0, 400), offered=st.integers(1, 400))
def test_a_rounded_ratio_always_agrees(digits: int, answered: int, offered: int) -> None:
    answered = min(answered, offered)
    counts = {"offered": offered, "answered": answered, "abandoned": offered - answered}
    rows: list[dict[str, object]] = [
        {"measure": name, "start": "10:00", "values": dict.fromkeys(("110100", "130100", "130200"), value)}
        for name, value in counts.items()
    ]
    ratio = round(answered / offered, digits)
    rows.append({"measure": "reported_answer_rate", "start": "10:00", "values": {"110100": ratio}})
    (finding,) = of("AC-04", audit(one_minute(rows)))
    assert finding.state is CheckState.PASS


def test_late_batches_beyond_the_allowed_share_fail_and_within_it_pass() -> None:
    def lateness(late: int) -> CheckState:
        start = at("10:00")
        rows = [
            {
                "source": "acd",
                "start": (start + timedelta(minutes=minute)).strftime("%H:%M"),
                "end": (start + timedelta(minutes=minute + 1)).strftime("%H:%M"),
                "fetched_at": (start + timedelta(minutes=minute + 1, seconds=130 if minute < late else 60)).strftime(
                    "%H:%M:%S"
                ),
            }
            for minute in range(200)
        ]
        example = {"now": "14:00", "interval": ["10:00", "13:20"], "batches": rows}
        return next(one for one in of("TM-01", audit(evidence(example, CATALOGUE))) if one.source == "acd").state

    assert (lateness(2), lateness(3)) == (CheckState.PASS, CheckState.FAIL)


def test_every_figure_of_a_province_is_counted_once_over_pass_fail_and_blocked() -> None:
    rows = [
        {"measure": name, "start": "10:00", "values": {"110100": 5, "130100": None, "130200": -2}}
        for name in ("offered", "answered")
    ]
    found = [one for one in of("AC-01", audit(one_minute(rows))) if one.measure or one.region]
    judged = sum(one.expected for one in found if one.state in SEEN)
    blocked = sum(int(one.facts.get("blocked", 0)) for one in found)
    assert (judged, blocked) == (4, 2)
    assert np.isclose(sum(one.bad for one in found), 2)


def test_batches_of_other_channels_say_nothing() -> None:
    survey = CATALOGUE.channels["survey"]
    mixed = pd.concat([one_minute([]).batches, batches(whole(survey, MINUTE), "survey")], ignore_index=True)
    assert audit(replace(one_minute([]), batches=mixed)) == audit(one_minute([]))
