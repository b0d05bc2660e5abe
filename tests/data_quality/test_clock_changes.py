"""A day on which the clock is set: every interval of a channel is judged once, and none that there is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from data_quality.audit import audit
from data_quality.evidence import Evidence
from data_quality.grid.rhythms import interval_edges
from data_quality.grid.schedule import schedule
from metrics.findings import CheckState
from metrics.intervals import DAY_S, HOUR_S
from metrics.observations import Interval
from tests.support.example_world import evidence, world

BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = Interval(datetime(2026, 10, 24, tzinfo=BERLIN), datetime(2026, 10, 27, tzinfo=BERLIN))
"""The night from 24 to 25 October has an hour more."""


def of_berlin(interval_s: int, starts: list[str]) -> Evidence:
    """The examples' hotline in Berlin, with a figure at each of some local starts."""
    known = world()
    hotline = known.channels["hotline"].model_copy(update={"zone": "Europe/Berlin", "interval_s": interval_s})
    catalogue = known.model_copy(update={"channels": {"hotline": hotline}})
    local = [datetime.fromisoformat(start).replace(tzinfo=BERLIN) for start in starts]
    rows: list[Any] = [
        {"measure": "offered", "start": str(at.astimezone(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)),
         "values": {110100: 5}}
        for at in local
    ]  # fmt: skip
    came = [{"source": "acd", "start": "2026-10-24", "end": "2026-10-28", "fetched_at": "2026-10-28"}]
    told = {"now": "2026-10-28", "interval": ["2026-10-24", "2026-10-27"], "observations": rows, "batches": came}
    return replace(evidence(told, catalogue), interval=AUTUMN)


@pytest.mark.parametrize(("interval_s", "starts"), [(DAY_S, 3), (6 * HOUR_S, 12), (HOUR_S, 73), (60, 73 * 60)])
def test_each_interval_of_the_channel_is_one_column(interval_s: int, starts: int) -> None:
    seen = of_berlin(interval_s, [])
    edges = interval_edges(seen.interval, seen.judged_channels[0])
    plan = schedule(seen, edges, seen.judged_channels)
    assert len(plan.starts) == starts
    assert (int(edges[0]), int(edges[-1])) == (int(AUTUMN.start.timestamp()), int(AUTUMN.end.timestamp()))
    inside = np.arange(edges[0], edges[-1], 600)
    interval, begins = plan.locate(inside)
    assert (plan.starts[interval] <= inside).all()
    assert (inside < plan.ends[interval]).all()
    assert (begins == np.isin(inside, plan.starts)).all()


def test_the_end_of_a_long_day_is_its_midnight() -> None:
    seen = of_berlin(DAY_S, [])
    edges = interval_edges(Interval(AUTUMN.start, AUTUMN.start + timedelta(hours=30)), seen.judged_channels[0])
    assert np.diff(edges).tolist() == [24 * HOUR_S, 25 * HOUR_S]


def astray(seen: Evidence) -> list[tuple[str, str, int]]:
    return [(one.rule, one.state, one.bad) for one in audit(seen) if one.rule == "TY-03" and one.measure == "offered"]


def test_daily_figures_at_local_midnights_are_where_they_belong() -> None:
    days = ["2026-10-24", "2026-10-25", "2026-10-26"]
    assert astray(of_berlin(DAY_S, days)) == [("TY-03", CheckState.PASS, 0)]
    assert astray(of_berlin(DAY_S, [*days[:2], "2026-10-26T01:00"])) == [("TY-03", CheckState.FAIL, 1)]


def test_nothing_is_expected_where_no_interval_begins() -> None:
    seen = of_berlin(DAY_S, [])
    none = replace(
        seen, interval=Interval(datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC))
    )
    of_figures = [finding for finding in audit(none) if not finding.about_rows]
    assert {finding.state for finding in of_figures} == {CheckState.NA}
