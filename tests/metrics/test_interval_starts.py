"""Where intervals start: counted from local midnight, for every length that divides a day, in every zone."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.intervals import DAY_S, HOUR_S, floor_all, floor_to, interval_starts, next_start
from metrics.observations import Interval, NaiveTime

ZONES = (
    "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana",
    "Asia/Jerusalem", "Pacific/Apia",
)  # fmt: skip
"""One without changes of the clock, half and quarter hours, Europe, half an hour's change, changes at midnight."""
LENGTHS = [seconds for seconds in range(60, DAY_S + 1) if DAY_S % seconds == 0]
SECOND = timedelta(seconds=1)
zones = st.sampled_from(ZONES).map(ZoneInfo)
lengths = st.sampled_from(LENGTHS)
MOST_CHANGES = st.sampled_from([3, 4, 9, 10, 11])
moments = st.datetimes(datetime(1992, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
near_changes = st.builds(lambda at, month: at.replace(month=month, day=min(at.day, 28)), moments, MOST_CHANGES)
anytime = st.one_of(moments, near_changes)
many = settings(deadline=None, max_examples=150)


@many
@given(moment=anytime, length=lengths, zone=zones)
def test_an_interval_holds_its_moment_and_begins_with_itself(moment: datetime, length: int, zone: ZoneInfo) -> None:
    start, end = floor_to(moment, length, zone), next_start(moment, length, zone)
    assert start <= moment < end
    assert floor_to(start, length, zone) == start
    assert (floor_to(end, length, zone), floor_to(end - SECOND, length, zone)) == (end, start)
    if HOUR_S % length == 0 or _unchanged(start, end, zone):
        assert moment < start + timedelta(seconds=length)


@many
@given(day=anytime, length=lengths, zone=zones)
def test_every_local_midnight_begins_an_interval(day: datetime, length: int, zone: ZoneInfo) -> None:
    midnight = day.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    there = midnight.astimezone(UTC)
    if there.astimezone(zone).hour == 0:  # the clock shows it at all
        assert floor_to(there, length, zone) == there


@many
@given(moment=anytime, length=lengths, zone=zones, hours=st.integers(1, 72))
def test_the_intervals_of_a_span_follow_each_other(moment: datetime, length: int, zone: ZoneInfo, hours: int) -> None:
    span = Interval(moment, moment + timedelta(hours=hours))
    starts = [datetime.fromtimestamp(second, UTC) for second in interval_starts(span, length, zone).tolist()]
    assert all(next_start(one, length, zone) == following for one, following in pairwise(starts))
    first = moment if floor_to(moment, length, zone) == moment else next_start(moment, length, zone)
    assert starts[:1] == ([first] if first < span.end else [])
    assert not starts or next_start(starts[-1], length, zone) >= span.end


@many
@given(moment=anytime, length=lengths, zone=zones, data=st.data())
def test_many_moments_have_the_intervals_that_each_has(
    moment: datetime, length: int, zone: ZoneInfo, data: st.DataObject
) -> None:
    about = math.floor(moment.timestamp())
    near = st.integers(about - 3 * DAY_S, about + 3 * DAY_S)
    seconds = data.draw(st.lists(st.one_of(near, st.just(0)), max_size=20))
    each = [int(floor_to(datetime.fromtimestamp(one, UTC), length, zone).timestamp()) for one in seconds]
    assert floor_all(np.array(seconds, np.int64), length, zone).tolist() == each


def test_a_night_in_berlin_by_the_hour_and_by_six() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    autumn = Interval(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))
    assert len(interval_starts(autumn, HOUR_S, berlin)) == 25
    wall = [datetime.fromtimestamp(at, berlin).hour for at in interval_starts(autumn, 6 * HOUR_S, berlin).tolist()]
    assert wall == [0, 6, 12, 18]
    assert interval_starts(autumn, DAY_S, berlin).tolist() == [int(autumn.start.timestamp())]
    spring = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # half past three: two o'clock did not come
    assert floor_to(spring, 2 * HOUR_S, berlin) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize("length", [60, 300, 900, 1800, 3600])
def test_in_zones_of_whole_hours_short_intervals_start_where_they_do_in_utc(length: int) -> None:
    seconds = np.arange(1_795_000_000, 1_795_000_000 + 2 * DAY_S, 17)
    for zone in (ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")):
        assert (floor_all(seconds, length, zone) == seconds // length * length).all()


def test_a_length_that_does_not_divide_a_day_is_refused() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    for ask in (floor_to, next_start):
        with pytest.raises(ValueError, match="7000 s do not divide a day"):
            ask(noon, 7000)
    with pytest.raises(ValueError, match="7000 s do not divide a day"):
        floor_all(np.array([0]), 7000)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(NaiveTime, match="floor_to"):
        floor_to(datetime(2026, 11, 21, 12), 60)  # noqa: DTZ001 - the point of the test


def _unchanged(start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    return start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()
