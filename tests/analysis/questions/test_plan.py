"""A question is planned before it is asked: what is too much is refused with what would fit."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from analysis.questions.faults import CannotAnswer
from analysis.questions.plan import DAY_S, ROWS_A_PIECE, Limits, Plan, plan
from analysis.questions.question import GRAINS, Comparison, Question
from config.catalogue import NATION, Level
from config.loading import load
from metrics.intervals import day_start
from metrics.observations import Interval

CATALOGUE = load()
MIDNIGHT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
"""In Shanghai."""
PROVINCES, CITIES = len(CATALOGUE.at_level(Level.PROVINCE)), len(CATALOGUE.at_level(Level.CITY, "440000"))


def days(number: float, start: datetime = MIDNIGHT) -> Interval:
    return Interval(start, start + timedelta(days=number))


def planned(question: Question, rows_a_second: float = 0.0, scope: str = NATION, **limits: int) -> Plan:
    return plan(question, CATALOGUE, rows_a_second, scope, Limits(**limits))


@pytest.mark.parametrize(
    ("question", "cells"),
    [
        (Question("offered", days(1)), 1),
        (Question("offered", days(1), grain="hour"), 25),
        (Question("offered", days(1), grain="day"), 2),
        (Question("offered", days(1), groups=("region",)), PROVINCES),
        (
            Question("offered", days(1), place="440000", groups=("region",)),
            len(CATALOGUE.at_level(Level.CITY, "440000")),
        ),
        (Question("offered", days(1), comparison=Comparison.PREVIOUS), 2),
        (Question("offered", days(1), comparison=Comparison.SAME_WEEKDAY), 2),
        (Question("answer_rate", days(1), comparison=Comparison.TARGET), 1),
    ],
)
def test_cells_are_counted_before_they_are_worked_out(question: Question, cells: int) -> None:
    assert planned(question).cells == cells


def test_groups_multiply() -> None:
    channels = len(planned(Question("offered", days(1))).checked.channels)
    assert planned(Question("offered", days(1), groups=("channel", "region"))).cells == channels * PROVINCES
    closed = {len(CATALOGUE.channels[name].dimensions.get("outcome", ())) for name in ("hotline",)}
    by_outcome = planned(Question("contacts", days(1), channel="hotline", groups=("outcome",))).cells
    assert {by_outcome - 1} == closed


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (Question("offered", days(30), grain="1min", groups=("region",)), "choose grain 15min or 4 days"),
        (Question("offered", days(300), grain="15min", groups=("region",)), "choose grain day or 67 days"),
        (Question("contacts", days(9), grain="1min", groups=("channel", "region")), "choose grain 30min or 9 hours"),
    ],
)
def test_too_many_cells_are_refused_with_what_would_fit(question: Question, told: str) -> None:
    with pytest.raises(CannotAnswer, match=rf"\d,\d\d\d cells asked, 200,000 fit: {told}") as refused:
        planned(question)
    assert refused.value.code == "too_much"


def test_what_is_said_to_fit_fits() -> None:
    asked = Question("offered", days(30), grain="1min", groups=("region",))
    with pytest.raises(CannotAnswer) as refused:
        planned(asked)
    grain, number = str(refused.value).split("grain ")[1].split(" or ")
    assert planned(Question("offered", days(30), grain=grain, groups=("region",))).cells <= 200_000
    fits = days(int(number.removesuffix(" days")))
    assert planned(Question("offered", fits, grain="1min", groups=("region",))).cells <= 200_000
    coarser = GRAINS[GRAINS.index(grain) - 1]
    with pytest.raises(CannotAnswer):
        planned(Question("offered", days(30), grain=coarser, groups=("region",)))


def test_where_nothing_shorter_fits_fewer_groups_are_advised() -> None:
    with pytest.raises(CannotAnswer, match="10 fit: choose fewer groups or a smaller place"):
        planned(Question("offered", days(1), groups=("region",)), cells=10)


def test_too_many_rows_are_refused_with_the_days_that_fit() -> None:
    asked = Question("offered", days(10), grain="5min")
    with pytest.raises(CannotAnswer, match="864,000,000 rows would be read, 200,000,000 may be: choose 2 days") as told:
        planned(asked, rows_a_second=1000.0, rows=200_000_000)
    assert told.value.code == "too_much"
    assert planned(Question("offered", days(2), grain="5min"), 1000.0, rows=200_000_000).rows == 172_800_000
    with pytest.raises(CannotAnswer, match="choose 6 hours"):
        planned(Question("offered", days(10), grain="5min"), 1000.0, rows=21_600_000)


def test_whole_days_and_quarters_cost_less_than_their_minutes() -> None:
    rows = {grain: planned(Question("offered", days(10), grain=grain), 1000.0).rows for grain in GRAINS}
    assert rows["1min"] == rows["5min"] == 10 * DAY_S * 1000
    assert rows["15min"] == rows["hour"] == pytest.approx(rows["1min"] / 15, rel=1e-6)
    assert rows["day"] == rows["total"] == pytest.approx(rows["1min"] / 1440, rel=1e-6)
    half = Question("offered", days(1.5, MIDNIGHT - timedelta(hours=6)))
    assert planned(half, 1000.0).rows == pytest.approx(DAY_S * 1000 * (0.5 + 1 / 1440), rel=1e-6)
    assert planned(Question("offered", days(1), as_known_at=MIDNIGHT), 1000.0).rows == DAY_S * 1000


def test_nobody_asks_about_what_he_may_not_see() -> None:
    for place in ("440000", "440100"):
        assert planned(Question("offered", days(1), place=place), scope="440000").question.place == place
    for place in (NATION, "420000"):
        with pytest.raises(CannotAnswer, match=f"{place} is not within 440000") as refused:
            planned(Question("offered", days(1), place=place), scope="440000")
        assert refused.value.code == "scope"


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("start", [MIDNIGHT, MIDNIGHT + timedelta(hours=9, minutes=20)])
def test_a_long_span_is_read_in_whole_days_that_cover_it(grain: str, start: datetime) -> None:
    span, a_day = days(4.4, start), ROWS_A_PIECE / DAY_S / {"day": 1 / 1440, "total": 1 / 1440}.get(grain, 1.0)
    pieces = planned(Question("offered", span, grain=grain), a_day * 15, cells=10**9, rows=10**15).pieces
    assert (pieces[0].start, pieces[-1].end) == (span.start, span.end)
    assert all(before.end == after.start for before, after in pairwise(pieces))
    assert all(day_start(piece.start, CATALOGUE.day) == piece.start for piece in pieces[1:])
    assert len(pieces) > 2
    assert planned(Question("offered", span, grain=grain), 1.0, cells=10**9).pieces == (span,)


def test_what_needs_every_instant_of_its_bucket_is_read_at_once() -> None:
    mean = next(name for name, one in CATALOGUE.measures.items() if one.over_time == "mean")
    metric = next(one.id for one in CATALOGUE.metrics.values() if mean in one.formula.measures)
    span = days(5)
    assert planned(Question(metric, span), 10**6, rows=10**15).pieces == (span,)
    assert len(planned(Question(metric, span, grain="day"), 10**6, rows=10**15).pieces) == 5
