"""Intervals of a channel begin at its own midnight, whatever kind of source counts in them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from pydantic import ValidationError

from collectors.http_json.options import Windows
from collectors.shared.coverage import last_interval, slices
from collectors.shared.lines import Place
from metrics.intervals import DAY_S, HOUR_S
from metrics.observations import Interval, Payload
from tests.support import record_sources, tailing_world

MINUTES = [datetime(2025, 1, 2, tzinfo=UTC) + timedelta(minutes=number) for number in range(24 * 60)]
CONTACT_LOG: dict[str, Any] = {
    "path": "calls.csv",
    "contact": {"columns": ["id"]},
    "arrived": {"column": "t", "format": "%Y-%m-%d %H:%M"},
    "region": {"constant": "440100"},
    "measures": {"contacts": {}},
}
ACCESS_LOG: dict[str, Any] = {"path": "access.log", "region": {"constant": "440100"}}


def calls(zone: str, interval_s: int) -> pd.DataFrame:
    """A call in every minute of 2 January, as the clock on the wall shows it."""
    lines = "".join(f"{number},{minute:%Y-%m-%d %H:%M}\n" for number, minute in enumerate(MINUTES))
    return contributions("contact_log", CONTACT_LOG, f"id,t\n{lines}", zone, interval_s)


def requests(zone: str, interval_s: int) -> pd.DataFrame:
    """The same of requests to a web server in that zone."""
    local = (minute.replace(tzinfo=ZoneInfo(zone)) for minute in MINUTES)
    lines = (f'1.1.1.1 - - [{at:%d/%b/%Y:%H:%M:%S %z}] "GET / HTTP/1.1" 200 1 "-" "a"\n' for at in local)
    return contributions("access_log", ACCESS_LOG, "".join(lines), zone, interval_s, measures=("web_requests",))


def contributions(kind: str, options: dict[str, Any], text: str, zone: str, interval_s: int, **more: Any) -> Any:
    built = tailing_world.build(kind, options, zone=zone, interval_s=interval_s, **more)
    place = {"place": Place(options["path"], 0, 0, "0" * 64, 0).as_json()}
    now = tailing_world.NOW
    return built.parse(Payload(text.encode(), now, Interval(now, now), options["path"], place)).contributions


@pytest.mark.parametrize("counted", [calls, requests])
def test_a_day_in_india_by_the_hour_has_24_intervals_of_60_minutes(counted: Any) -> None:
    table = counted("Asia/Kolkata", HOUR_S)
    assert table["value"].sum() == 24 * 60
    by_start = Counter(table["start"].dt.tz_convert("Asia/Kolkata").dt.strftime("%d %H:%M"))
    assert by_start == {f"02 {hour:02}:00": 60 for hour in range(24)}


@pytest.mark.parametrize("counted", [calls, requests])
def test_a_day_in_shanghai_is_one_interval_of_that_day(counted: Any) -> None:
    table = counted("Asia/Shanghai", DAY_S)
    assert table["start"].unique().tolist() == [pd.Timestamp("2025-01-02T00:00+08:00")]
    assert table["value"].sum() == 24 * 60


def test_a_daily_figure_stands_on_its_local_day() -> None:
    rules = {
        "time": {"field": "day", "form": "%Y-%m-%d", "naive": "channel_zone"},
        "region": {"field": "city"},
        "measures": {"contacts": {"field": "n"}},
    }
    options = {"url_env": "X", "query": "SELECT day, city, n FROM t WHERE day >= :start AND day < :end", "map": rules}
    source = {"id": "daily", "kind": "sql", "delivers": [{"measure": "contacts"}], "options": options}
    rows = b'{"day": "2025-01-02", "city": "440100", "n": 7}'
    built = record_sources.collector(source, DAY_S)
    found = built.parse(record_sources.payload(rows, "2025-01-02T00:00:00+08:00", "2025-01-03T00:00:00+08:00"))
    assert found.observations is not None
    assert found.rejects == ()
    assert found.observations["start"].tolist() == [pd.Timestamp("2025-01-02T00:00+08:00")]


def test_windows_are_cut_at_midnight_also_of_a_day_of_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    span = Interval(datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))
    lengths = [piece.end - piece.start for piece in slices(span, DAY_S, berlin)]
    assert lengths == [timedelta(hours=2), timedelta(hours=25), timedelta(hours=1)]
    now = datetime(2026, 10, 26, 10, tzinfo=UTC)
    assert last_interval(now, DAY_S, berlin) == Interval(
        datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    )


def test_a_window_that_does_not_divide_a_day_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="7000 s does not divide a day"):
        Windows(slice_s=7000)
