"""A finding about figures lives until what was bad is seen right: by the turn that brings it right, or by the clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.dependencies import Dependencies
from pipeline.flow.judging import judge_clock
from pipeline.flow.turn import turn
from tests.support.pipeline_world import GUANGZHOU, NOON, SHENZHEN, WUHAN, Clock, Scripted, feeder, pipeline, row

MINUTE = timedelta(minutes=1)
GUANGDONG = "440000"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dependencies(tmp_path: Path, clock: Clock) -> Iterator[Dependencies]:
    with pipeline(tmp_path, clock) as opened:
        yield opened


def calls(city: str, at: datetime, offered: int = 10, answered: int = 9, abandoned: int = 1) -> list[dict[str, Any]]:
    """Calls of a city in the minute before; as given, they balance."""
    numbers = {"offered": offered, "answered": answered, "abandoned": abandoned}
    return [row(name, city, value, at) for name, value in numbers.items()]


def deliver(dependencies: Dependencies, clock: Clock, rows: list[dict[str, Any]]) -> None:
    turn(dependencies, feeder(dependencies, collector=Scripted(dependencies, [rows])))
    clock.now += timedelta(seconds=5)


def minutes(dependencies: Dependencies, clock: Clock, city: str, number: int) -> None:
    """So many good minutes of one city, each with the audit of the clock."""
    for _ in range(number):
        clock.now = clock.now.replace(second=0) + MINUTE
        deliver(dependencies, clock, calls(city, clock.now))
        judge_clock(dependencies)


def unbalanced(dependencies: Dependencies) -> list[str]:
    return [one.region for one in dependencies.state.findings.open() if one.rule == "AC-03"]


def test_what_is_sent_again_and_right_ends_it(dependencies: Dependencies, clock: Clock) -> None:
    deliver(dependencies, clock, calls(GUANGZHOU, NOON, answered=5))
    assert unbalanced(dependencies) == [GUANGDONG]
    deliver(dependencies, clock, calls(SHENZHEN, NOON))
    assert unbalanced(dependencies) == [GUANGDONG], "another city of the province"
    deliver(dependencies, clock, calls(GUANGZHOU, NOON))
    assert unbalanced(dependencies) == []


def test_the_next_minute_does_not_end_it(dependencies: Dependencies, clock: Clock) -> None:
    deliver(dependencies, clock, calls(GUANGZHOU, NOON, answered=5))
    clock.now = NOON + MINUTE
    deliver(dependencies, clock, calls(GUANGZHOU, NOON + MINUTE))
    assert unbalanced(dependencies) == [GUANGDONG]


def test_half_an_hour_without_it_ends_it_only_when_the_province_was_heard_of(
    dependencies: Dependencies, clock: Clock
) -> None:
    deliver(dependencies, clock, calls(GUANGZHOU, NOON, answered=5))
    minutes(dependencies, clock, WUHAN, 35)
    assert unbalanced(dependencies) == [GUANGDONG], "the others say nothing of it"
    minutes(dependencies, clock, SHENZHEN, 1)
    assert unbalanced(dependencies) == []
