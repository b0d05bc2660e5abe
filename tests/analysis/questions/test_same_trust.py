"""One figure has one trust: what a screen shows of a place, metric and window is what an answer says of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.questions.answer import answer
from analysis.questions.question import Question
from config.catalogue import NATION
from config.loading import load
from metrics.findings import CheckState, Finding
from metrics.observations import Interval, SourceFault
from metrics.readings import WINDOWS
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from pipeline.snapshot.builder import SnapshotBuilder
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
GUANGDONG = "440000"
PLACES = (NATION, GUANGDONG, "110000")
FIGURES = (("answer_rate", ""), ("answer_rate", "desk"), ("offered", ""), ("offered", "chat"))
QUARTER = 15
WELL = {"offered": 100.0, "answered": 90.0, "abandoned": 10.0, "contacts": 100.0, "waiting": 0.0}


def push(dependencies: Dependencies, channel: str, region: str = GUANGZHOU, **figures: float) -> None:
    """One push of a channel, about the minute before now."""
    delivered = {delivery.measure for delivery in CATALOGUE.channels[channel].sources[0].delivers}
    told = {name: value for name, value in {**WELL, **figures}.items() if name in delivered}
    rows = [row(measure, region, value, dependencies.clock()) for measure, value in told.items()]
    turn(dependencies, feeder(dependencies, channel, Scripted(dependencies, [rows], channel)))


@dataclass(frozen=True)
class World:
    """A pipeline and its clock."""

    dependencies: Dependencies
    clock: Clock


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Both channels have pushed every minute of the last hour and a quarter, and all is well."""
    clock = Clock(NOON - timedelta(minutes=5 * QUARTER))
    with pipeline(tmp_path, clock) as opened:
        while clock.now < NOON:
            clock.now += timedelta(minutes=QUARTER)
            for channel in ("desk", "chat"):
                quarter(opened, channel)
        yield World(opened, clock)


def quarter(dependencies: Dependencies, channel: str, minutes: int = QUARTER) -> None:
    """A channel pushes the last minutes at once."""
    now, delivered = dependencies.clock(), CATALOGUE.channels[channel].sources[0].delivers
    names = [delivery.measure for delivery in delivered if delivery.measure in WELL]
    rows = [
        row(name, region, WELL[name], now - timedelta(minutes=minute))
        for name in names
        for region in (GUANGZHOU, SHENZHEN, WUHAN)
        for minute in range(minutes)
    ]
    scripted = Scripted(dependencies, [rows], channel)
    scripted.minutes = minutes
    turn(dependencies, feeder(dependencies, channel, scripted))


def note(world: World, **told: Any) -> None:
    """A finding about the last minute."""
    span = {"start": NOON - timedelta(minutes=1), "end": NOON}
    finding = Finding(
        **{"rule": "AC-03", "state": CheckState.FAIL, "channel": "desk", "source": "counts", **span, **told}
    )
    world.dependencies.state.findings.record([finding], world.clock())


def screen(dependencies: Dependencies) -> dict[tuple[str, ...], dict[str, Any]]:
    """The readings on the screens by metric, place, channel and window."""
    found = SnapshotBuilder(dependencies, simulated=False).build().readings
    chosen = found[found["metric"].isin([metric for metric, _ in FIGURES]) & found["region"].isin(PLACES)]
    return {(one["metric"], one["region"], one["channel"], one["window"]): one for one in chosen.to_dict("records")}


def shown(dependencies: Dependencies, one: dict[str, Any], window: str) -> tuple[Any, ...]:
    """Value, n, trust, reason and span of a reading."""
    now, end, length = dependencies.clock(), one["at"].to_pydatetime(), WINDOWS[window]
    day = datetime.fromtimestamp(dependencies.board.day_start(now), UTC)
    span = Interval(day, now) if length is None else Interval(end - timedelta(seconds=length), end)
    value = None if pd.isna(one["value"]) else one["value"]
    return value, one["n"], one["trust"], one["reason"], span


def told(dependencies: Dependencies, metric: str, place: str, channel: str, span: Interval) -> tuple[Any, ...]:
    """Value, n, trust and reason of the same figure as an answer."""
    question = Question(metric, span, place=place, channel=channel or None)
    [one] = answer(stores(dependencies), question).rows()
    return one["value"], one["n"], one["trust"], one["reason"]


def all_well(world: World) -> None:
    """Nothing happens."""


def a_hard_rule_of_several_measures(world: World) -> None:
    note(world, bad=30, expected=100, region=GUANGDONG, facts={"measures": "answered,abandoned"})


def a_hard_rule_without_a_measure(world: World) -> None:
    note(world, rule="CP-01", bad=30, expected=100)


def a_share_below_the_limit(world: World) -> None:
    note(world, bad=1, expected=100, facts={"measures": "offered,answered"})


def a_share_that_is_small_in_the_nation(world: World) -> None:
    note(world, bad=12, expected=100, region="420000", measure="offered")


def a_rule_that_only_asks(world: World) -> None:
    note(world, bad=30, expected=100, measure="offered", state=CheckState.QUERY)


def a_rule_of_the_other_channel(world: World) -> None:
    note(world, channel="chat", bad=30, expected=100, measure="offered")


def a_wrong_row(world: World) -> None:
    note(world, rule="AC-02", bad=30, expected=100, measure="server", start=None, end=None, batch="none")


def a_stale_source(world: World) -> None:
    world.clock.now += timedelta(minutes=6)
    quarter(world.dependencies, "chat", minutes=6)
    fault = SourceFault("timeout", "no answer")
    turn(world.dependencies, feeder(world.dependencies, "desk", Scripted(world.dependencies, [fault])))


def a_lost_source(world: World) -> None:
    world.clock.now += timedelta(minutes=40)


def an_open_cohort(world: World) -> None:
    world.clock.now += timedelta(minutes=1)
    push(world.dependencies, "desk", waiting=1000.0, offered=1100.0)
    push(world.dependencies, "chat")


SCENES: dict[Callable[[World], None], tuple[str, str]] = {
    all_well: ("sound", ""),
    a_hard_rule_of_several_measures: ("doubtful", "trust.finding|AC-03|desk"),
    a_hard_rule_without_a_measure: ("doubtful", "trust.finding|CP-01|desk"),
    a_share_below_the_limit: ("sound", ""),
    a_share_that_is_small_in_the_nation: ("sound", ""),
    a_rule_that_only_asks: ("sound", ""),
    a_rule_of_the_other_channel: ("sound", ""),
    a_wrong_row: ("doubtful", "trust.finding|AC-02|desk"),
    a_stale_source: ("stale", "trust.source_stale|desk|2026-11-21T04:00:00+00:00"),
    a_lost_source: ("doubtful", "trust.source_lost|desk|2026-11-21T04:00:00+00:00"),
    an_open_cohort: ("provisional", "trust.cohort_open"),
}
"""What happens, and how far the answer rate of Guangdong can then be relied on."""


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_an_answer_has_the_value_the_trust_and_the_reason_of_the_screen(
    world: World, scene: Callable[[World], None]
) -> None:
    scene(world)
    dependencies = world.dependencies
    readings = screen(dependencies)
    reading = readings["answer_rate", GUANGDONG, "", "15min"]
    assert (reading["trust"], reading["reason"]) == SCENES[scene]
    for (metric, place, channel, window), one in readings.items():
        if (metric, channel) in FIGURES:
            *figure, span = shown(dependencies, one, window)
            assert told(dependencies, metric, place, channel, span) == tuple(figure), (metric, place, channel, window)


def test_one_of_several_channels_missing_is_named_in_both(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as opened:
        quarter(opened, "desk")
        readings = screen(opened)
        for place in (NATION, GUANGDONG):
            *figure, span = shown(opened, readings["offered", place, "", "15min"], "15min")
            assert figure[2:] == ["doubtful", "trust.channel_missing|chat"]
            assert told(opened, "offered", place, "", span) == tuple(figure)
