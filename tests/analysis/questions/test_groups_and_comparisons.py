"""What a question can ask for beyond one figure over time: groups, filters, comparisons, the past as known, rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.questions.answer import Row, answer, planned
from analysis.questions.faults import CannotAnswer, Stopped
from analysis.questions.figures import figure_table
from analysis.questions.plan import OPEN_VALUES, Limits
from analysis.questions.question import Comparison, Question
from config.loading import load
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from tests.support.pipeline_world import (
    FOLDER,
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

CATALOGUE = load(FOLDER)
HOUR = Interval(NOON - timedelta(hours=1), NOON)
DAY = timedelta(days=1)
GUANGDONG, HUBEI, CENTRE = "440000", "420000", "C-110105-1"


def push(dependencies: Dependencies, rows: list[dict[str, Any]], channel: str = "desk", at: datetime = NOON) -> None:
    script = Scripted(dependencies, [rows], channel)
    script.window = Interval(at - timedelta(minutes=1), at)
    turn(dependencies, feeder(dependencies, channel, script))


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Dependencies]:
    """Contacts by service, and answered of offered, now, a quarter of an hour before, yesterday and a week ago."""
    with pipeline(tmp_path_factory.mktemp("home"), clock, CATALOGUE) as opened:
        for scale, at in ((7, NOON - 7 * DAY), (3, NOON - DAY), (2, NOON - timedelta(hours=1)), (1, NOON)):
            clock.now = at
            figures = [
                row("contacts", GUANGZHOU, 5 * scale, at, service_type="billing"),
                row("contacts", GUANGZHOU, 1 * scale, at, service_type="package"),
                row("contacts", SHENZHEN, 4 * scale, at),
                row("contacts", WUHAN, 2 * scale, at, service_type="billing"),
                row("offered", GUANGZHOU, 10 * scale, at),
                row("answered", GUANGZHOU, 9 * scale - 1, at),
                row("queue_length", CENTRE, 3 * scale, at),
                row("longest_wait", CENTRE, 60 * scale, at),
            ]
            push(opened, figures, at=at)
            push(opened, [row("contacts", WUHAN, 100 * scale, at)], "chat", at)
        yield opened


def ask(dependencies: Dependencies, metric: str, span: Interval = HOUR, **more: Any) -> list[Row]:
    return answer(stores(dependencies), Question(metric, span, **more)).rows()


def test_two_groups_cross(dependencies: Dependencies) -> None:
    rows = ask(dependencies, "contacts", groups=("region", "channel"))
    assert {(one["region"], one["channel"]): one["value"] for one in rows} == {
        (GUANGDONG, "desk"): 10,
        (HUBEI, "desk"): 2,
        (HUBEI, "chat"): 100,
    }
    assert sum(one["value"] for one in rows) == ask(dependencies, "contacts")[0]["value"]
    crossed = ask(dependencies, "contacts", groups=("service_type", "region"))
    assert {(one["service_type"], one["region"]): one["value"] for one in crossed} == {
        ("billing", GUANGDONG): 5,
        ("package", GUANGDONG): 1,
        ("", GUANGDONG): 4,
        ("billing", HUBEI): 2,
    }
    assert {one["channel"] for one in crossed} == {""}


def test_filters_choose_values_and_those_without_one(dependencies: Dependencies) -> None:
    def chosen(*values: str) -> float | None:
        value: float | None = ask(dependencies, "contacts", filters=(("service_type", values),))[0]["value"]
        return value

    assert (chosen("billing"), chosen("package", "billing"), chosen("")) == (7, 8, 4)
    assert chosen("unheard of") == 0, "the channel came, and there was none"
    parts = ask(dependencies, "contacts", filters=(("service_type", ("billing",)),), groups=("region",))
    assert {one["region"]: one["value"] for one in parts} == {GUANGDONG: 5, HUBEI: 2}


def test_a_place_and_a_bucket_in_which_nothing_was_counted_are_zero_where_the_channel_came(
    dependencies: Dependencies,
) -> None:
    by_quarter = {one["start"]: one["value"] for one in ask(dependencies, "offered", grain="15min", place=HUBEI)}
    assert list(by_quarter.values()) == [None, None, None, 0]
    assert ask(dependencies, "answer_rate", place=HUBEI)[0]["n"] == 0
    [centre] = ask(dependencies, "offered", place=CENTRE)
    assert (centre["value"], centre["trust"]) == (None, "absent"), "nobody counts it there"
    assert ask(dependencies, "queue_length", place=GUANGDONG)[0]["value"] is None, "no instant is no empty queue"


def test_the_span_before_is_laid_beside(dependencies: Dependencies) -> None:
    [whole] = ask(dependencies, "contacts", comparison=Comparison.PREVIOUS)
    assert (whole["value"], whole["previous"], whole["difference"]) == (112, 224, -112)
    assert list(whole)[-3:] == ["previous", "difference", "previous_trust"]
    [day] = ask(dependencies, "contacts", Interval(NOON - 4 * timedelta(hours=1), NOON + 20 * timedelta(hours=1)),
                comparison=Comparison.PREVIOUS)  # fmt: skip
    assert (day["value"], day["previous"]) == (336, 336)


def test_the_same_weekday_is_laid_beside_bucket_by_bucket_and_group_by_group(dependencies: Dependencies) -> None:
    rows = ask(dependencies, "contacts", grain="30min", groups=("region",), comparison=Comparison.SAME_WEEKDAY)
    found = {(one["start"], one["region"]): (one["value"], one["previous"], one["difference"]) for one in rows}
    half = NOON - timedelta(minutes=30)
    assert found[half, GUANGDONG] == (10, 70, -60)
    assert found[half, HUBEI] == (102, 714, -612)
    assert found[HOUR.start, HUBEI] == (None, None, None)
    [rate] = ask(dependencies, "answer_rate", comparison=Comparison.SAME_WEEKDAY)
    assert rate["difference"] == pytest.approx(8 / 10 - 62 / 70)
    assert rate["previous_trust"] != ""


def test_the_target_is_laid_beside(dependencies: Dependencies) -> None:
    [rate] = ask(dependencies, "answer_rate", comparison=Comparison.TARGET)
    target = CATALOGUE.metrics["answer_rate"].target
    assert target is not None
    assert (rate["target"], rate["difference"]) == (target, 0.8 - target)


def test_figures_are_given_as_they_were_known(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as opened:
        push(opened, [row("offered", GUANGZHOU, 10), row("answered", GUANGZHOU, 10), row("abandoned", GUANGZHOU, 5)])
        known = clock.now
        clock.now += timedelta(minutes=3)
        push(opened, [row("offered", GUANGZHOU, 20), row("abandoned", GUANGZHOU, 10)])
        [then] = ask(opened, "answer_rate", as_known_at=known + timedelta(seconds=1))
        [now] = ask(opened, "answer_rate")
        [before] = ask(opened, "answer_rate", as_known_at=known - timedelta(minutes=1))
    assert (then["value"], then["denominator"]) == (1.0, 10)
    assert (now["value"], now["denominator"]) == (0.5, 20)
    assert (before["value"], before["trust"]) == (None, "absent")
    assert then["trust"] == "doubtful", "more were answered and abandoned than offered, and that was known then"
    assert then["reason"] == "trust.finding|AC-03|desk"


def test_the_rows_behind_a_figure_add_up_to_it_page_by_page(dependencies: Dependencies) -> None:
    question = Question("contacts", HOUR, place=GUANGDONG, rows=True, page_rows=2)
    pages = [answer(stores(dependencies), replace(question, page=page)) for page in range(3)]
    assert [len(page.rows()) for page in pages] == [2, 1, 0]
    assert [page.more for page in pages] == [True, False, False]
    rows = [one for page in pages for one in page.rows()]
    assert [(one["region"], one["value"]) for one in rows] == [(GUANGZHOU, 5), (GUANGZHOU, 1), (SHENZHEN, 4)]
    assert sum(one["value"] for one in rows) == ask(dependencies, "contacts", place=GUANGDONG)[0]["value"]
    assert {one["measure"] for one in rows} == {"contacts"}
    assert rows[0]["dimension"] == "service_type=billing"
    assert rows[0]["start"] == NOON - timedelta(minutes=1)


def test_rows_are_chosen_by_the_same_filters(dependencies: Dependencies) -> None:
    rows = ask(dependencies, "contacts", rows=True, filters=(("service_type", ("", "package")),), channel="desk")
    assert [(one["region"], one["value"]) for one in rows] == [(GUANGZHOU, 1), (SHENZHEN, 4)]
    assert ask(dependencies, "contacts", Interval(NOON, NOON + DAY), rows=True) == []
    with pytest.raises(CannotAnswer, match="rows are given up to the 200,000th"):
        ask(dependencies, "contacts", rows=True, page=2000)


LONG = Interval(NOON - 8 * DAY, NOON + DAY)


@pytest.mark.parametrize("grain", ["total", "hour", "day"])
@pytest.mark.parametrize("metric", ["contacts", "answer_rate", "queue_length", "longest_wait"])
def test_what_is_read_in_pieces_is_what_is_read_at_once(
    dependencies: Dependencies, metric: str, grain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(metric, LONG, grain=grain, groups=("region",) if metric == "contacts" else ())
    whole = answer(stores(dependencies), question)
    monkeypatch.setattr("analysis.questions.plan.ROWS_A_PIECE", 1e-9)
    assert len(planned(stores(dependencies), question).pieces) >= 9
    assert answer(stores(dependencies), question).rows() == whole.rows()


def test_who_stops_waiting_stops_the_work_at_the_next_piece(
    dependencies: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.questions.plan.ROWS_A_PIECE", 1e-9)
    own, looked = stores(dependencies), list[int]()
    asked = planned(own, Question("contacts", LONG))

    def gone() -> bool:
        looked.append(1)
        return len(looked) > 3

    with pytest.raises(Stopped):
        figure_table(own, asked, gone)
    assert len(looked) == 4 < len(asked.pieces)
    with pytest.raises(Stopped):
        answer(own, Question("contacts", LONG, rows=True), cancelled=lambda: True)


def test_more_values_than_an_open_dimension_was_taken_to_have_are_refused(tmp_path: Path) -> None:
    desk = CATALOGUE.channels["desk"].model_copy(update={"dimensions": {}})
    catalogue = CATALOGUE.model_copy(update={"channels": {**CATALOGUE.channels, "desk": desk}})
    question = Question("contacts", HOUR, groups=("service_type",), channel="desk")
    with pipeline(tmp_path, Clock(), catalogue) as opened:
        push(opened, [row("contacts", WUHAN, 1, service_type=f"s{number}") for number in range(OPEN_VALUES + 1)])
        own = replace(stores(opened), limits=Limits(cells=OPEN_VALUES))
        assert planned(own, question).cells == OPEN_VALUES
        with pytest.raises(CannotAnswer, match="51 cells asked, 50 fit: choose values of the dimension") as refused:
            answer(own, question)
    assert refused.value.code == "too_much"


def test_an_answer_says_how_new_its_figures_are_and_by_which_definition(dependencies: Dependencies) -> None:
    found = answer(stores(dependencies), Question("answer_rate", HOUR))
    covered = dependencies.state.progress.sources()["desk", "counts"].covered_until
    assert found.data_at == covered
    assert found.version == CATALOGUE.metrics["answer_rate"].ownership.version
