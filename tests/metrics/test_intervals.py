"""Pieces of time on a zone's clock, across its changes."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import DayPlan
from metrics.intervals import SIZES, bucket_start, buckets, day_start, floor_to
from metrics.observations import Interval

JERUSALEM = DayPlan(zone="Asia/Jerusalem")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = ["Asia/Shanghai", "Asia/Jerusalem", "Asia/Kathmandu", "America/Havana", "Europe/Berlin"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "interval_s", "start"),
    [
        ("2026-11-21T10:07:59.999", 60, "2026-11-21T10:07"),
        ("2026-11-21T10:08", 60, "2026-11-21T10:08"),
        ("2026-11-21T10:07:59", 300, "2026-11-21T10:05"),
        ("2026-11-21T10:59", 1800, "2026-11-21T10:30"),
        ("2026-11-21T23:59", 86400, "2026-11-21T00:00"),
    ],
)
def test_floor(moment: str, interval_s: int, start: str) -> None:
    assert floor_to(utc(moment), interval_s) == utc(start)


def test_floor_follows_the_zones_own_hours() -> None:
    """Kathmandu is 5:45 ahead: its hours begin at a quarter past."""
    assert floor_to(utc("2026-11-21T10:20"), 3600, KATHMANDU) == utc("2026-11-21T10:15")
    assert floor_to(utc("2026-11-21T10:20"), 86400, ZoneInfo("Asia/Shanghai")) == utc("2026-11-20T16:00")


def test_a_floor_is_in_utc_whatever_zone_the_moment_came_in() -> None:
    moment = utc("2026-11-21T10:07").astimezone(KATHMANDU)
    start = floor_to(moment, 300)
    assert start == utc("2026-11-21T10:05")
    assert start.tzinfo is UTC


@pytest.mark.parametrize(
    ("date", "hours"), [("1999-04-02", 23), ("1999-09-03", 25), ("1999-02-01", 24), ("2026-03-27", 23)]
)
def test_days_in_jerusalem_have_the_hours_that_they_had(date: str, hours: int) -> None:
    start = day_start(utc(f"{date}T12:00"), JERUSALEM)
    span = Interval(start, start + timedelta(hours=hours))
    assert list(buckets(span, "day", JERUSALEM)) == [span]
    assert len(list(buckets(span, "hour", JERUSALEM))) == hours
    assert len(list(buckets(span, "30min", JERUSALEM))) == hours * 2
    assert day_start(span.end, JERUSALEM) == span.end
    assert floor_to(span.end - timedelta(seconds=1), 86400, ZoneInfo(JERUSALEM.zone)) == span.start


def test_a_day_that_begins_in_the_morning() -> None:
    day = DayPlan(starts=time(6))
    assert day_start(utc("2026-11-21T10:00"), day) == utc("2026-11-20T22:00")
    assert day_start(utc("2026-11-20T21:59"), day) == utc("2026-11-19T22:00")


def test_the_first_and_last_bucket_are_cut_to_the_span() -> None:
    span = Interval(utc("2026-11-21T10:07"), utc("2026-11-21T10:21"))
    found = [(piece.start.minute, piece.end.minute) for piece in buckets(span, "15min", DayPlan())]
    assert found == [(7, 15), (15, 21)]
    assert list(buckets(span, "total", DayPlan())) == [span]
    assert list(buckets(Interval(span.start, span.start), "hour", DayPlan())) == []


@settings(deadline=None, max_examples=150)
@given(
    start=st.datetimes(datetime(1999, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    minutes=st.integers(1, 3000),
    size=st.sampled_from([size for size in SIZES if size not in ("1min", "total")]),
    zone=st.sampled_from(ZONES),
)
def test_buckets_tile_any_span_without_gap_or_overlap(start: datetime, minutes: int, size: str, zone: str) -> None:
    day = DayPlan(zone=zone)
    span = Interval(start, start + timedelta(minutes=minutes))
    pieces = list(buckets(span, size, day))
    assert pieces[0].start == span.start
    assert pieces[-1].end == span.end
    assert all(one.end == two.start for one, two in pairwise(pieces))
    assert all(bucket_start(piece.start, size, day) == piece.start for piece in pieces[1:])
    last_instants = [piece.end - timedelta(microseconds=1) for piece in pieces]
    assert [bucket_start(last, size, day) for last in last_instants] == [
        bucket_start(piece.start, size, day) for piece in pieces
    ]
