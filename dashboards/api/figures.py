"""Figures of any time, as lists: a metric over time, and the observations that it was worked out from.

Both are questions (`analysis/questions`), so they are planned, bounded and judged as those of every screen and command.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from analysis.questions.answer import Answer
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import GRAINS, MOST_GROUPS, MOST_PAGE_ROWS, WHERE, Comparison, Question, join_values
from analysis.questions.rows import ROW_COLUMNS
from config.actions import Action
from dashboards.access.problems import Problem
from dashboards.api.parameters import Parameters
from dashboards.api.resources import Found, Resource, Sight
from dashboards.api.tables import columns
from metrics.observations import encode_dimensions

FIGURES = columns(
    "region channel dimension metric state trust reason previous_trust",
    number="value numerator denominator n together target previous difference",
    time="start end",
)
OBSERVATIONS = columns(
    "region channel measure dimension batch", number="value", integer="revision", time="start received_at"
)
ABOUT: dict[str, dict[str, Any]] = {
    "data_at": {"type": ["string", "null"], "format": "date-time"},
    "version": {"type": "integer"},
}
FIRST_PAGE = 0


class OfObservations(Parameters):
    """What observations are chosen by."""

    limit: int = Field(default=MOST_PAGE_ROWS, ge=1, le=MOST_PAGE_ROWS)
    metric: str = Field(max_length=100)
    start: str = Field(alias="from", max_length=64)
    end: str = Field(alias="to", max_length=64)
    region: str = Field(default="", max_length=32)
    channel: str = Field(default="", max_length=100)
    variant: str = Field(default="", max_length=100)
    where: tuple[str, ...] = Field(default=(), max_length=100)
    known_at: str = Field(default="", max_length=64)


class OfFigures(OfObservations):
    """What a metric over time takes besides."""

    limit: int = Field(default=1000, ge=1, le=10_000)
    grain: Literal[tuple(GRAINS)] = "total"  # type: ignore[valid-type]  # the grains are a constant
    group: tuple[str, ...] = Field(default=(), max_length=MOST_GROUPS)
    compare: Literal[tuple(Comparison)] = Comparison.NONE  # type: ignore[valid-type]  # the comparisons are an enum


def question_of(asked: OfObservations, place: str, **more: str) -> Question:
    """The question that parameters ask about a place; raises CannotAnswer naming what cannot be read."""
    said = {"metric": asked.metric, "from": asked.start, "to": asked.end, "place": place}
    said |= {name: getattr(asked, name) for name in ("channel", "variant", "known_at") if getattr(asked, name)}
    return Question.from_parameters({**said, **more, **_filters(asked.where)})


def _filters(given: Sequence[str]) -> Mapping[str, str]:
    values: dict[str, list[str]] = {}
    for text in given:
        dimension, sign, value = text.partition("=")
        if not sign:
            raise CannotAnswer("where is written <dimension>=<value>, and repeated for more values")
        values.setdefault(dimension, []).append(value)
    return {WHERE + dimension: join_values(tuple(chosen)) for dimension, chosen in values.items()}


def _figures(sight: Sight, asked: OfFigures) -> Found:
    group = {"group": join_values(asked.group)} if asked.group else {}
    answer = sight.ask(question_of(asked, sight.scope, grain=asked.grain, compare=asked.compare, **group))
    frame = answer.frame
    dimensions = [name for name in asked.group if name in sight.catalogue.dimensions]
    keys = [encode_dimensions(dict(zip(dimensions, row, strict=True))) for row in frame[dimensions].to_numpy().tolist()]
    named = frame.assign(dimension=keys)
    missing = {column.name: None for column in FIGURES if column.name not in named}
    return Found(named.assign(**missing), _about(answer))


def _observations(sight: Sight, asked: OfObservations) -> Found:
    page = _page(asked.cursor)
    answer = sight.ask(question_of(asked, sight.scope, rows="1", page=str(page), page_rows=str(asked.limit)))
    return Found(answer.frame[list(ROW_COLUMNS)], _about(answer), str(page + 1) if answer.more else "")


def _page(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise Problem(400, "cursor: take it as the last page gave it", parameter="cursor")
    return int(cursor or FIRST_PAGE)


def _about(answer: Answer) -> dict[str, Any]:
    data_at = None if pd.isna(answer.data_at) else answer.data_at
    return {"data_at": None if data_at is None else data_at.isoformat(), "version": answer.version}


RESOURCES = (
    Resource(
        "query", Action.ASK_QUESTIONS, OfFigures, FIGURES, ("start", "region", "channel", "dimension"), _figures,
        about=ABOUT, questions=True,
    ),
    Resource("rows", Action.SEE_ROWS, OfObservations, OBSERVATIONS, (), _observations, about=ABOUT, questions=True),
)  # fmt: skip
