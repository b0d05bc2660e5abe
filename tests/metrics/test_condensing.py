"""A bucket made small holds what each kind of measure needs of it, and nothing else."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from config.catalogue import Kind, Measure
from config.loading import load
from metrics.condensing import condensed
from metrics.observations import OBSERVATION_COLUMNS

MEASURES = load().measures
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOURS = [NOON, NOON + timedelta(hours=1)]


def of_kind(kind: Kind, over_time: str | None = None) -> Measure:
    """A measure of a kind that the catalogue may not have."""
    changed = {"kind": kind} if over_time is None else {"kind": kind, "over_time": over_time}
    return next(iter(MEASURES.values())).model_copy(update=changed)


def small(measure: Measure, with_instants: bool = False) -> list[tuple[str, float]]:
    """Clock and value of three rows of two hours, made small; they come out of order."""
    times = [NOON + timedelta(minutes=minutes) for minutes in (40, 5, 60)]
    rows = pd.DataFrame({"measure": "m", "region": "440000", "dimension": "", "start": times, "value": [2.0, 5.0, 7.0]})
    rows["start"] = rows["start"].dt.as_unit("s")
    found = condensed(rows, {"m": measure}, HOURS, with_instants).sort_values("start")
    assert list(found) == list(OBSERVATION_COLUMNS)
    return list(zip(found["start"].dt.strftime("%H:%M"), found["value"], strict=True))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (of_kind(Kind.ADDITIVE), [("12:00", 7.0), ("13:00", 7.0)]),
        (of_kind(Kind.PEAK), [("12:00", 5.0), ("13:00", 7.0)]),
        (of_kind(Kind.LEVEL, "last"), [("12:40", 2.0), ("13:00", 7.0)]),
    ],
)
def test_a_bucket_keeps_the_sum_the_largest_or_the_last_instant(
    measure: Measure, expected: list[tuple[str, float]]
) -> None:
    assert small(measure) == small(measure, with_instants=True) == expected


@pytest.mark.parametrize("over_time", ["mean", "max"])
def test_a_mean_or_largest_level_keeps_every_instant_or_none(over_time: str) -> None:
    level = of_kind(Kind.LEVEL, over_time)
    assert small(level) == []
    assert small(level, with_instants=True) == [("12:05", 5.0), ("12:40", 2.0), ("13:00", 7.0)]
