"""Questions of the command line: checked, exact under any split, and honest about what is not there."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from analysis.questions.answer import answer
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import Question
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from tests.support.pipeline_world import (
    GUANGZHOU,
    NOON,
    SHENZHEN,
    WUHAN,
    Clock,
    Scripted,
    feeder,
    pipeline,
    row,
    stores,
)

HOUR = Interval(NOON - timedelta(hours=1), NOON)
BANDS = {"0": 12, "10": 10, "20": 8}


def ask(dependencies: Dependencies, metric: str, **more: Any) -> list[dict[str, Any]]:
    return answer(stores(dependencies), Question(metric, HOUR, **more)).rows()


@pytest.fixture
def dependencies(tmp_path: Path) -> Iterator[Dependencies]:
    with pipeline(tmp_path, Clock()) as opened:
        rows = [
            row("offered", GUANGZHOU, 1092),
            row("answered", GUANGZHOU, 725),
            row("abandoned", GUANGZHOU, 367),
            row("offered", WUHAN, 74),
            row("answered", WUHAN, 37),
            row("abandoned", WUHAN, 37),
            row("contacts", SHENZHEN, 5, service_type="billing"),
            row("contacts", SHENZHEN, 7, service_type="package"),
        ]
        turn(opened, feeder(opened, collector=Scripted(opened, [rows])))
        turn(opened, feeder(opened, "chat", Scripted(opened, [[row("offered", GUANGZHOU, 500)]], "chat")))
        yield opened


def test_a_ratio_is_divided_last_and_leaves_out_channels_that_know_half_of_it(dependencies: Dependencies) -> None:
    [whole] = ask(dependencies, "answer_rate")
    assert (whole["numerator"], whole["denominator"]) == (762, 1166)
    assert whole["value"] == 762 / 1166
    assert {row["channel"]: row["value"] for row in ask(dependencies, "answer_rate", groups=("channel",))} == {
        "desk": 762 / 1166
    }


@pytest.mark.parametrize(
    "split", [{"groups": ("region",)}, {"grain": "5min"}, {"grain": "1min", "groups": ("region",)}]
)
def test_parts_sum_to_the_whole(dependencies: Dependencies, split: dict[str, Any]) -> None:
    [whole] = ask(dependencies, "answer_rate")
    rows = ask(dependencies, "answer_rate", **split)
    assert sum(row["numerator"] or 0 for row in rows) == whole["numerator"]
    assert sum(row["denominator"] or 0 for row in rows) == whole["denominator"]


def test_by_dimension(dependencies: Dependencies) -> None:
    rows = ask(dependencies, "contacts", groups=("service_type",), channel="desk")
    assert {row["service_type"]: row["value"] for row in rows} == {"billing": 5, "package": 7}


def test_buckets_cover_the_range_without_a_gap_and_an_empty_one_has_no_value(dependencies: Dependencies) -> None:
    rows = ask(dependencies, "answer_rate", grain="5min")
    assert len(rows) == 12
    assert all(one["end"] == next_["start"] for one, next_ in pairwise(rows))
    assert [row["value"] for row in rows[:-1]] == [None] * 11
    assert {row["trust"] for row in rows[:-1]} == {"absent"}


def test_a_range_in_which_nothing_was_read_has_no_value(dependencies: Dependencies) -> None:
    day_before = Interval(NOON - timedelta(days=1, hours=1), NOON - timedelta(days=1))
    [row_] = answer(stores(dependencies), Question("answer_rate", day_before)).rows()
    assert (row_["value"], row_["trust"]) == (None, "absent")
    assert answer(stores(dependencies), Question("answer_rate", day_before, groups=("region",))).rows() == []


def test_a_place_with_nothing_offered_has_no_rate_and_is_not_zero(dependencies: Dependencies) -> None:
    turn(
        dependencies,
        feeder(
            dependencies,
            collector=Scripted(dependencies, [[row("offered", SHENZHEN, 0), row("answered", SHENZHEN, 0)]]),
        ),
    )
    [row_] = ask(dependencies, "answer_rate", place=SHENZHEN)
    assert (row_["value"], row_["n"], row_["state"]) == (None, 0, "no_value")


def test_a_percentile_is_read_off_the_bands_of_all_parts_and_its_own_parts_say_what_they_come_to(
    dependencies: Dependencies,
) -> None:
    billing = [row("waits", GUANGZHOU, count, service_type="billing", wait_band=band) for band, count in BANDS.items()]
    package = [row("waits", WUHAN, 8, service_type="package", wait_band="200"), row("waits", WUHAN, 2)]
    turn(dependencies, feeder(dependencies, collector=Scripted(dependencies, [[*billing, *package]])))
    [whole] = ask(dependencies, "wait_p90")
    assert whole["value"] == pytest.approx(200, rel=0.02)
    assert (whole["n"], whole["denominator"], whole["numerator"]) == (38, 40, None)
    by_service = {row["service_type"]: row for row in ask(dependencies, "wait_p90", groups=("service_type",))}
    values = {name: row["value"] for name, row in by_service.items()}
    assert values == {"": None, "billing": pytest.approx(20, rel=0.02), "package": pytest.approx(200, rel=0.02)}
    assert {row["together"] for row in by_service.values()} == {whole["value"]}
    assert (by_service["billing"]["state"], by_service["package"]["state"]) == ("no_target", "too_few")
    assert [row["value"] for row in ask(dependencies, "wait_p90", grain="30min")] == [None, whole["value"]]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"metric": "no_such"}, "no metric 'no_such'"),
        ({"metric": "answer_rate", "place": "1"}, "no region '1'"),
        ({"metric": "answer_rate", "channel": "fax"}, "no channel 'fax'; there are"),
        ({"metric": "answer_rate", "groups": ("colour",)}, "cannot group by 'colour'"),
        ({"metric": "answer_rate", "variant": "F9"}, "has no variant 'F9'"),
        ({"metric": "answer_rate", "grain": "fortnight"}, "cannot split by 'fortnight'"),
        ({"metric": "wait_p90", "variant": "F1"}, "wait_p90 has no variants"),
        ({"metric": "wait_p90", "groups": ("wait_band",)}, "cannot group by 'wait_band': wait_p90 is read off it"),
        ({"metric": "customers"}, "needs marked_contacts, which any channel does not deliver together"),
        ({"metric": "csat"}, "needs votes_4_5, votes, which any channel does not deliver together"),
    ],
)
def test_what_cannot_be_asked_says_what_there_is(dependencies: Dependencies, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(CannotAnswer, match=told):
        ask(dependencies, **asked)
