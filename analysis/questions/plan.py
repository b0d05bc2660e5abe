"""What a question would cost, worked out before it is asked; what is too much is refused with what would fit.

Whose question it is belongs to the plan: who may see one province cannot ask about another, so that no answer has to
be cut down afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, prod

from analysis.questions.checking import BELOW, Checked, check
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import CHANNEL, GRAINS, REGION, Comparison, Question
from config.catalogue import NATION, Catalogue, DayPlan, Level
from metrics.condensing import by_instants
from metrics.intervals import STEPS_S, day_start
from metrics.observations import Interval

DAY_S = 86_400
OPEN_VALUES = 50
"""What a dimension without a closed code set is taken to have, until its values are known."""
ROWS_A_PIECE = 20_000_000
"""A long span is read in pieces of whole days, so that who stops waiting stops the work: about a second each."""


READY = {"15min": 15, "30min": 15, "hour": 15, "day": 1440, "total": 1440}
"""How many rows of a minute one row of the buckets that are kept ready stands for, by grain."""


@dataclass(frozen=True)
class Limits:
    """What one question may cost."""

    cells: int = 200_000
    """Figures of an answer."""
    rows: int = 4_000_000_000
    """Rows of the store that are read for it, as far as can be told before."""


LIMITS = Limits()


@dataclass(frozen=True)
class Plan:
    """A question that may be asked, and what it costs."""

    checked: Checked
    cells: int
    """Figures, at most."""
    rows: int
    """Rows of the store that are read, about."""
    rows_a_second: float
    """Rows that the store takes in of a second of the channels."""
    pieces: tuple[Interval, ...]
    """The span in the pieces in which it is read, in order."""
    limits: Limits

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.checked.question


def plan(
    question: Question, catalogue: Catalogue, rows_a_second: float, scope: str = NATION, limits: Limits = LIMITS
) -> Plan:
    """Plan a question of somebody who may see `scope`; raises CannotAnswer.

    `rows_a_second`: rows that the store takes in of a second, of all channels that are asked.
    """
    checked = check(question, catalogue)
    if question.place not in catalogue.below(scope):
        raise CannotAnswer(f"{question.place} is not within {scope}, which is all that you may ask about", "scope")
    groups, twice = _groups(checked, catalogue), 1 + (question.comparison in MEASURED)
    cells = twice * groups * _buckets(question.grain, question.span)
    if cells > limits.cells:
        fitting = _fitting(question, twice * groups, limits.cells)
        raise CannotAnswer(f"{cells:,} cells asked, {limits.cells:,} fit: {fitting}", "too_much")
    rows = ceil(twice * rows_a_second * _read_s(question, catalogue.day))
    if rows > limits.rows and not question.rows:
        days = limits.rows / rows * _seconds(question.span) / DAY_S
        raise CannotAnswer(
            f"{rows:,} rows would be read, {limits.rows:,} may be: choose {_said(days)}, or one channel", "too_much"
        )
    return Plan(checked, cells, rows, rows_a_second, tuple(_pieces(checked, catalogue, rows / twice)), limits)


MEASURED = (Comparison.PREVIOUS, Comparison.SAME_WEEKDAY)
"""Comparisons with another span, which has to be asked too."""


def _groups(checked: Checked, catalogue: Catalogue) -> int:
    """How many groups there may be, at most."""
    return prod(_members(group, checked, catalogue) for group in checked.question.groups)


def _members(group: str, checked: Checked, catalogue: Catalogue) -> int:
    if group == CHANNEL:
        return len(checked.channels)
    if group == REGION:
        place = checked.question.place
        below = BELOW[catalogue.regions[place].level]
        return 1 if below == REGION else max(1, len(catalogue.at_level(Level(below), place)))
    closed = [catalogue.channels[name].dimensions.get(group) for name in checked.channels]
    if any(values is None for values in closed):
        return OPEN_VALUES
    return len({value for values in closed for value in values or ()}) + 1


def _buckets(grain: str, span: Interval) -> int:
    """How many buckets a span has, the cut ones at its ends included."""
    if grain == "total":
        return 1
    return ceil(_seconds(span) / STEPS_S.get(grain, DAY_S)) + 1


def _seconds(span: Interval) -> float:
    return (span.end - span.start).total_seconds()


def _read_s(question: Question, day: DayPlan) -> float:
    """Seconds of the span as if all of it were read row by row: of whole days, larger buckets are kept ready."""
    seconds, whole_s = _seconds(question.span), 0.0
    first, last = day_start(question.span.start, day), day_start(question.span.end, day)
    if question.as_known_at is None:
        whole_s = max(0.0, (last - first).total_seconds() - (DAY_S if first < question.span.start else 0))
    return seconds - whole_s + whole_s / READY.get(question.grain, 1)


def _fitting(question: Question, groups: int, most: int) -> str:
    """What would fit: a coarser grain, a shorter span, or fewer groups."""
    coarser = GRAINS[GRAINS.index(question.grain) + 1 :]
    grains = [grain for grain in coarser if groups * _buckets(grain, question.span) <= most]
    buckets = 0 if question.grain == "total" else most // groups - 1
    told = [f"grain {grain}" for grain in grains[:1]]
    told += [_said(buckets * STEPS_S.get(question.grain, DAY_S) / DAY_S)] if buckets > 0 else []
    return f"choose {' or '.join(told)}" if told else "choose fewer groups or a smaller place"


def _said(days: float) -> str:
    """A span in words."""
    if days >= 1:
        return f"{int(days)} day{'s' if int(days) > 1 else ''}"
    hours = max(1, int(days * 24))
    return f"{hours} hour{'s' if hours > 1 else ''}"


def _pieces(checked: Checked, catalogue: Catalogue, rows: float) -> Iterator[Interval]:
    """Whole reporting days, as many at once as are soon read; what needs every instant of its bucket is not cut."""
    span, grain = checked.question.span, checked.question.grain
    whole = grain == "total" and any(by_instants(catalogue.measures[name]) for name in checked.measures)
    days = int(ROWS_A_PIECE / max(rows, 1) * _seconds(span) / DAY_S)
    if whole or rows <= ROWS_A_PIECE:
        yield span
        return
    day = catalogue.day if grain in ("day", "total") else DayPlan(zone=catalogue.day.zone)
    start = span.start
    while start < span.end:
        end = min(day_start(start + timedelta(days=max(1, days), hours=6), day), span.end)
        yield Interval(start, end)
        start = end
