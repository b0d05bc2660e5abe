"""An answer is kept only while nothing that it stands on has changed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis.questions.answer import Answer, answer
from analysis.questions.cache import KEPT, LATER_S, RECORDED_S, SOON_S, TOUCHES_KEPT, Cache, RecordedStamps, Touches
from analysis.questions.question import Comparison, Question
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from tests.support.pipeline_world import GUANGZHOU, NOON, Clock, Scripted, feeder, pipeline, row, stores

DAY = timedelta(days=1)
LATER = NOON + 3 * DAY
"""When it is asked about the hour before NOON."""
HOUR = Interval(NOON - timedelta(hours=1), NOON)
QUESTION = Question("offered", HOUR)
FRAME = pd.DataFrame({"value": [1.0]})


class World:
    """A pipeline three days after its figures, a cache over it, and how often something was worked out."""

    def __init__(self, dependencies: Dependencies, clock: Clock, recorded: bool = False) -> None:
        self.dependencies, self.clock, self.seconds, self.worked = dependencies, clock, 0.0, 0
        own = stores(dependencies)
        stamps = RecordedStamps(dependencies.state.past) if recorded else dependencies.touches
        self.cache = Cache(own, stamps, lambda: self.seconds)

    def push(self, value: float, at: datetime = NOON, channel: str = "desk") -> None:
        """A source brings a figure of the minute before an instant, now."""
        rows = [row("offered", GUANGZHOU, value, at)]
        script = Scripted(self.dependencies, [rows], channel)
        script.window = Interval(at - timedelta(minutes=1), at)
        turn(self.dependencies, feeder(self.dependencies, channel, script))

    def ask(self, question: Question = QUESTION, meanwhile: Callable[[], None] = lambda: None) -> float | None:
        """The value, from the cache or worked out; `meanwhile` happens after it was worked out."""

        def work() -> Answer:
            self.worked += 1
            found = answer(stores(self.dependencies), question)
            meanwhile()
            return found

        value: float | None = self.cache.answer(question, "100000", work).rows()[0]["value"]
        return value


@pytest.fixture(params=[False, True], ids=["written here", "recorded"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    with pipeline(tmp_path, clock) as opened:
        made = World(opened, clock, request.param)
        made.push(5)
        clock.now = LATER
        yield made


def test_what_nothing_has_changed_is_not_worked_out_again(world: World) -> None:
    assert [world.ask(), world.ask(), world.ask()] == [5, 5, 5]
    assert world.worked == 1


def test_a_write_inside_the_span_is_seen_and_one_outside_changes_nothing(world: World) -> None:
    world.ask()
    world.push(7, NOON + DAY)
    assert (world.ask(), world.worked) == (5, 1)
    world.clock.now += timedelta(minutes=1)
    world.push(6)
    assert (world.ask(), world.worked) == (6, 2)


def test_a_write_of_another_channel_changes_nothing_of_one(world: World) -> None:
    question = Question("offered", HOUR, channel="desk")
    world.ask(question)
    world.push(100, channel="chat")
    assert (world.ask(question), world.worked) == (5, 1)


def test_a_write_in_the_span_that_is_compared_with_is_seen(world: World) -> None:
    question = Question("offered", HOUR, comparison=Comparison.SAME_WEEKDAY)
    world.ask(question)
    world.push(3, NOON - 7 * DAY)
    world.ask(question)
    assert world.worked == 2


def test_an_answer_that_a_write_overtakes_is_worked_out_again(world: World) -> None:
    world.clock.now += timedelta(minutes=1)
    world.ask(meanwhile=lambda: world.push(6))
    assert (world.ask(), world.worked) == (6, 2)


def test_who_may_see_less_is_not_given_what_another_asked(world: World) -> None:
    world.ask()
    other = [0]

    def work() -> Answer:
        other[0] += 1
        return answer(stores(world.dependencies), QUESTION)

    world.cache.answer(QUESTION, "440000", work)
    assert other == [1]


def test_answers_are_kept_as_long_as_their_stamps_and_their_time_allow(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as opened:
        for recorded, at, lasts_s in (
            (False, LATER, LATER_S),
            (True, LATER, RECORDED_S),
            (False, NOON + timedelta(hours=1), SOON_S),
            (True, NOON + timedelta(hours=1), SOON_S),
        ):
            clock.now = at
            world = World(opened, clock, recorded)
            world.ask()
            world.seconds = lasts_s - 0.5
            world.ask()
            assert world.worked == 1, (recorded, at)
            world.seconds = lasts_s
            world.ask()
            assert world.worked == 2, (recorded, at)


def test_only_the_last_answers_are_kept(world: World) -> None:
    spans = [Interval(HOUR.start - timedelta(minutes=number), HOUR.end) for number in range(KEPT + 1)]
    for span in spans:
        world.cache.answer(Question("offered", span), "100000", lambda: Answer(QUESTION, FRAME, None, 1))
    world.cache.answer(Question("offered", spans[-1]), "100000", lambda: pytest.fail("it was kept"))
    worked: list[int] = []

    def work() -> Answer:
        worked.append(1)
        return Answer(QUESTION, FRAME, None, 1)

    world.cache.answer(Question("offered", spans[0]), "100000", work)
    assert worked == [1]


def test_what_was_touched_before_the_touches_that_are_remembered_may_be_anywhere() -> None:
    touches = Touches()
    before = touches.of(HOUR, ["desk"])
    for number in range(TOUCHES_KEPT + 1):
        touches.add("chat", Interval(HOUR.end + number * DAY, HOUR.end + (number + 1) * DAY))
        if number < TOUCHES_KEPT - 1:
            assert touches.of(HOUR, ["desk"]) == before
    assert touches.of(HOUR, ["desk"]) != before
