"""A question is a value: its URL and its JSON say all of it, and what does not exist is refused in words."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.questions.checking import check
from analysis.questions.family import (
    AnyQuestion,
    AuditQuestion,
    SourcesQuestion,
    StorageQuestion,
    question_from_json,
    question_to_json,
)
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import GRAINS, Comparison, Question
from config.loading import load
from metrics.observations import Interval

CATALOGUE = load()
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
HOUR = Interval(NOON - timedelta(hours=1), NOON)

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1999, 1, 1), datetime(2101, 1, 1), timezones=zones)  # noqa: DTZ001 - zones follow
texts = st.text(min_size=1, max_size=12)
spans = st.tuples(moments, st.timedeltas(timedelta(microseconds=1), timedelta(days=4000))).map(
    lambda pair: Interval(pair[0], pair[0] + pair[1])
)
questions = st.builds(
    Question,
    metric=texts,
    span=spans,
    variant=st.none() | texts,
    grain=st.sampled_from(GRAINS),
    place=texts,
    channel=st.none() | texts,
    groups=st.lists(texts, max_size=2).map(tuple),
    filters=st.dictionaries(texts, st.lists(st.text(max_size=8), min_size=1, max_size=3).map(tuple), max_size=3).map(
        lambda chosen: tuple(chosen.items())
    ),
    comparison=st.sampled_from(Comparison),
    as_known_at=st.none() | moments,
    rows=st.booleans(),
    page=st.integers(0, 10**6),
    page_rows=st.integers(0, 10**4),
)


@given(questions)
def test_a_question_survives_its_url_and_its_json(question: Question) -> None:
    url = urlencode(question.to_parameters())
    assert Question.from_parameters(dict(parse_qsl(url, keep_blank_values=True))) == question
    assert question_from_json(json.loads(json.dumps(question_to_json(question)))) == question


@given(st.dictionaries(st.sampled_from(["metric", "from", "to", "grain", "page", "rows", "where.x", "y"]), st.text()))
def test_whatever_a_url_holds_is_read_or_refused(parameters: dict[str, str]) -> None:
    with suppress(CannotAnswer):
        check(Question.from_parameters(parameters), CATALOGUE)


@pytest.mark.parametrize("question", [AuditQuestion(HOUR, "zh"), SourcesQuestion(), StorageQuestion()])
def test_the_rest_of_the_family_survives_its_json(question: AnyQuestion) -> None:
    assert question_from_json(json.loads(json.dumps(question_to_json(question)))) == question


def test_questions_that_ask_the_same_are_equal() -> None:
    one = Question("aht", HOUR, filters=(("service_type", ("b", "a")), ("outcome", ("x",))))
    shanghai = timezone(timedelta(hours=8))
    span = Interval(HOUR.start.astimezone(shanghai), HOUR.end.astimezone(shanghai))
    other = Question("aht", span, filters=(("outcome", ("x",)), ("service_type", ("a",)), ("service_type", ("b", "a"))))
    assert one == other
    assert hash(one) == hash(other)
    assert one.to_parameters() == other.to_parameters()


def test_a_url_says_nothing_that_is_so_anyway() -> None:
    assert Question("aht", HOUR).to_parameters() == {
        "metric": "aht",
        "from": "2026-11-21T03:00:00Z",
        "to": "2026-11-21T04:00:00Z",
    }


PARAMETERS = Question("aht", HOUR).to_parameters()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"from": "yesterday"}, "from cannot be 'yesterday'"),
        ({"from": "2026-11-21T03:00:00"}, "has no time zone"),
        ({"to": PARAMETERS["from"]}, "is not after"),
        ({"page": "-1"}, "page cannot be '-1'"),
        ({"page_rows": "٣"}, "page_rows cannot be"),
        ({"rows": "yes"}, "rows cannot be 'yes'"),
        ({"compare": "luck"}, "cannot compare with 'luck'; there are none, previous, same_weekday, target"),
        ({"colour": "red"}, "a question has no 'colour'; it has metric, from, to, variant"),
        ({"where.outcome": "%ff"}, "where.outcome cannot be"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(changed: dict[str, str], told: str) -> None:
    with pytest.raises(CannotAnswer, match=told):
        Question.from_parameters(PARAMETERS | changed)


@pytest.mark.parametrize("missing", ["metric", "from", "to"])
def test_what_a_question_cannot_be_without_is_named(missing: str) -> None:
    parameters = {name: text for name, text in PARAMETERS.items() if name != missing}
    with pytest.raises(CannotAnswer, match=f"has no '{missing}'"):
        Question.from_parameters(parameters)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"ask": "weather", "parameters": {}}, "kind 'weather'; there are figures, audit, sources, storage"),
        ({"ask": "figures", "parameters": {"metric": 1}}, "every parameter is a text"),
        ({"ask": "audit", "parameters": {**PARAMETERS}}, "an audit has from, to and language"),
        ({"ask": "audit", "parameters": {"from": PARAMETERS["from"], "to": PARAMETERS["from"]}}, "is not after"),
    ],
)
def test_what_is_no_question_of_the_family_is_refused(content: dict[str, Any], told: str) -> None:
    with pytest.raises(CannotAnswer, match=told):
        question_from_json(content)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"groups": ("region", "region")}, "at most 2, each once"),
        ({"groups": ("region", "channel", "outcome")}, "at most 2, each once"),
        ({"filters": (("colour", ("red",)),)}, "cannot choose by 'colour'; there are"),
        ({"filters": (("outcome", ()),)}, "no value of outcome is chosen"),
        ({"filters": (("outcome", ("a\nb",)),)}, "printable"),
        ({"filters": (("customer_mark", ("1.1",)),)}, "is not counted by customer_mark: any channel does not deliver"),
        ({"metric": "queue_length", "comparison": Comparison.TARGET}, "queue_length has no target"),
        ({"rows": True, "grain": "hour"}, "rows are single observations"),
        ({"rows": True, "comparison": Comparison.PREVIOUS}, "rows are single observations"),
        ({"page_rows": 0}, "a page has 1 to 1000 rows"),
        ({"span": Interval(NOON, NOON)}, "not after its start"),
    ],
)
def test_what_does_not_fit_together_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(CannotAnswer, match=told):
        check(Question(**{"metric": "answer_rate", "span": HOUR, **more}), CATALOGUE)


def test_only_channels_that_split_the_whole_figure_by_a_dimension_answer_for_it() -> None:
    def channels(**more: Any) -> tuple[str, ...]:
        return check(Question("contacts", HOUR, **more), CATALOGUE).channels

    split = [
        name
        for name in CATALOGUE.channels
        if (delivery := CATALOGUE.delivery(name, "contacts")) and "outcome" in delivery.dimensions
    ]
    assert channels(filters=(("outcome", ("answered",)),)) == channels(groups=("outcome",)) == tuple(split)
    assert split
    assert len(channels()) >= len(split)
