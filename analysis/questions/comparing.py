"""What a figure is laid beside: the span before, the same weekday of the week before, its target."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.questions.figures import FigureTable
from analysis.questions.question import Comparison, Question
from config.catalogue import DayPlan, Metric, Sketch
from metrics.intervals import day_start
from metrics.observations import Interval

WEEK = 7
FIGURES = ("metric", "value", "numerator", "denominator", "n", "state", "trust", "reason", "together")
"""What of a row says its worth; the rest says what it is about."""


def other_span(question: Question, day: DayPlan) -> Interval | None:
    """The span that a question is compared with; None where it is no span."""
    if question.comparison is Comparison.SAME_WEEKDAY:
        return _days_before(question.span, WEEK, day)
    if question.comparison is not Comparison.PREVIOUS:
        return None
    span, length = question.span, question.span.end - question.span.start
    if all(day_start(edge, day) == edge for edge in (span.start, span.end)):
        return _days_before(span, round(length / timedelta(days=1)), day)
    return Interval(span.start - length, span.start)


def _days_before(span: Interval, days: int, day: DayPlan) -> Interval:
    """A span so many days before, at the same times of the zone's clock."""
    zone = ZoneInfo(day.zone)

    def before(moment: datetime) -> datetime:
        local = moment.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
        return local.replace(tzinfo=zone).astimezone(UTC)

    return Interval(before(span.start), before(span.end))


def compared(
    table: pd.DataFrame,
    question: Question,
    metric: Metric | Sketch,
    day: DayPlan,
    other: Callable[[Question], FigureTable],
) -> pd.DataFrame:
    """The table with what it is compared with: previous, difference and previous_trust, or target and difference."""
    span = other_span(question, day)
    if span is not None:
        return _beside(table, other(replace(question, span=span, comparison=Comparison.NONE)).frame)
    if question.comparison is Comparison.TARGET:
        target = float(metric.target) if metric.target is not None else float("nan")
        return table.assign(target=target, difference=table["value"] - target)
    return table


def _beside(table: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Bucket by bucket and group by group; what was not there before has no value there."""
    about = [name for name in table if name not in (*FIGURES, "start", "end")]
    past = before[[*about, "value", "trust"]].rename(columns={"value": "previous", "trust": "previous_trust"})
    both = table.merge(past, on=about, how="left", validate="one_to_one")
    difference = both["value"] - both["previous"]
    trust = both.pop("previous_trust")
    return both.assign(difference=difference, previous_trust=trust)
