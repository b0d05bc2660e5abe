"""In which order a window says what is wrong: severity, then the scope itself before what lies below it."""

from typing import Any

import pandas as pd

from config.catalogue import NATION
from config.loading import load
from dashboards.panels.alerts import Alert, alerts_of
from dashboards.view_readings import Selection, ViewFigures
from dashboards.window import PanelData
from metrics.readings import READINGS, SOURCES, State
from tests.support.believable import AT, empty
from wording.words import Words

CATALOGUE = load()
METRIC = CATALOGUE.metrics["service_level_20s"]
WORDS = Words(CATALOGUE, "en")
GUANGDONG, BEIJING = "440000", "110000"
assert METRIC.target is not None
assert METRIC.warning is not None
CRITICAL, WARNING = METRIC.warning - 0.001, METRIC.target - 0.001
"""Values that only just miss the warning line and the target."""


def reading(region: str, value: float, state: str) -> tuple[Any, ...]:
    row = dict.fromkeys(READINGS.columns, "") | {"metric": METRIC.id, "window": "15min", "region": region}
    figures = {"value": value, "numerator": value * 900, "denominator": 900.0, "n": 900.0, "previous": value}
    return tuple((row | figures | {"at": AT, "state": state, "trust": "sound"}).values())


def absent(channel: str) -> tuple[Any, ...]:
    row = dict.fromkeys(SOURCES.columns, "") | {"channel": channel, "source": "main", "state": "absent"}
    times = {"last_success": AT, "covered_until": AT, "since": AT, "lag_s": 0.0, "simulated": True}
    return tuple((row | times).values())


def told(readings: list[tuple[Any, ...]], sources: list[tuple[Any, ...]] | None = None) -> list[Alert]:
    snapshot = empty().with_frame(READINGS, READINGS.typed(pd.DataFrame(readings, columns=READINGS.columns)))
    places = (GUANGDONG, BEIJING)
    figures = ViewFigures(snapshot, Selection("15min", (METRIC.id,), (NATION, *places), NATION))
    stands = SOURCES.typed(pd.DataFrame(sources or [], columns=SOURCES.columns))
    return alerts_of(PanelData(AT, figures, {SOURCES.name: stands}), [METRIC], NATION, places, WORDS)


def test_the_scopes_own_alert_comes_before_a_place_below_that_misses_by_more() -> None:
    found = told([reading(GUANGDONG, 0.0, "critical"), reading(NATION, CRITICAL, "critical")])
    assert [(alert.where, alert.state) for alert in found] == [("China", State.CRITICAL), ("Guangdong", State.CRITICAL)]


def test_a_critical_place_below_comes_before_the_scopes_own_warning() -> None:
    found = told([reading(GUANGDONG, CRITICAL, "critical"), reading(NATION, WARNING, "warning")])
    assert [(alert.where, alert.state) for alert in found] == [("Guangdong", State.CRITICAL), ("China", State.WARNING)]


def test_a_source_that_is_absent_comes_after_the_scopes_own_alert_and_before_those_below() -> None:
    rows = [reading(GUANGDONG, 0.0, "critical"), reading(NATION, CRITICAL, "critical")]
    assert [alert.where for alert in told(rows, [absent("hotline")])] == ["China", WORDS.name("hotline"), "Guangdong"]


def test_of_places_below_the_one_that_misses_by_most_is_named_first() -> None:
    [alert] = told([reading(GUANGDONG, CRITICAL, "critical"), reading(BEIJING, 0.0, "critical")])
    assert alert.where.startswith("Beijing")
