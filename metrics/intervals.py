"""Time in pieces: half-open intervals on the reporting zone's clock, also across a change of the clock.

Inside, every time is aware; these functions refuse a naive one and name where it came from.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from config.catalogue import DayPlan
from metrics.observations import Interval, NaiveTime

STEPS_S = {"1min": 60, "5min": 300, "15min": 900, "30min": 1800, "hour": 3600}
"""Sizes that divide an hour; `day` follows the calendar, `total` is the span itself."""
HOUR_S, DAY_S, QUARTER_S = 3600, 86_400, 900
Seconds = npt.NDArray[np.int64]
"""Whole seconds since 1970."""
MOST_DAYS = 1000
SIZES = (*STEPS_S, "day", "total")


def aware(moment: datetime, source: str) -> datetime:
    """The moment in UTC; raises NaiveTime, naming the source, if it has no zone."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise NaiveTime(f"{source}: the time {moment.isoformat()} has no zone")
    return moment.astimezone(UTC)


def floor_to(moment: datetime, interval_s: int, zone: tzinfo = UTC) -> datetime:
    """Start, in UTC, of the interval that holds the moment: intervals count from local midnight of the zone.

    Raises ValueError for a length that does not divide a day. Where the clock is changed a day has 23 or 25 hours, and
    each of them its intervals, if their length divides an hour: of an autumn night's hour that comes twice both count.
    Longer ones keep to the clock on the wall, as whoever reports by the day does, so one of them is longer or shorter.
    The change begins an interval where it falls into one that divides an hour, or where a start is left out by it.
    """
    _demand_divisor(interval_s)
    if moment.tzinfo is None:
        raise NaiveTime(f"floor_to: the time {moment.isoformat()} has no zone")
    local = moment.astimezone(zone)
    second, offset = math.floor(local.timestamp()), local.utcoffset() or timedelta()
    past_start = (second + offset.days * DAY_S + offset.seconds) % interval_s
    start = datetime.fromtimestamp(second - past_start, UTC)
    shown = start.astimezone(zone)
    divides_an_hour = HOUR_S % interval_s == 0
    if shown.utcoffset() == offset and (divides_an_hour or shown.fold == 0):
        return start
    return clock_change(start, moment, zone) if divides_an_hour else _around(moment, interval_s, zone)[0]


def next_start(moment: datetime, interval_s: int, zone: tzinfo = UTC) -> datetime:
    """Start, in UTC, of the interval after the one that holds the moment: the end of that one."""
    if HOUR_S % interval_s == 0:
        return floor_to(floor_to(moment, interval_s, zone) + timedelta(seconds=interval_s), interval_s, zone)
    _demand_divisor(interval_s)
    return _around(aware(moment, "next_start"), interval_s, zone)[1]


def floor_all(seconds: Seconds, interval_s: int, zone: tzinfo = UTC) -> Seconds:
    """`floor_to` of many moments, given and returned in whole seconds since 1970."""
    _demand_divisor(interval_s)
    if not len(seconds):
        return seconds
    days, day_of = _days_of(seconds)
    offsets = [_steady_offset_s(day, zone) for day in days.tolist()]
    if len(set(offsets)) == 1 and offsets[0] is not None:
        return seconds - (seconds + offsets[0]) % interval_s
    offset = np.array([0 if one is None else one for one in offsets], np.int64)[day_of]
    starts: Seconds = seconds - (seconds + offset) % interval_s
    changing = np.flatnonzero(np.array([one is None for one in offsets], np.bool_)[day_of])
    if len(changing):
        distinct, position = np.unique(seconds[changing], return_inverse=True)
        moments = (datetime.fromtimestamp(second, UTC) for second in distinct.tolist())
        starts[changing] = np.array([int(floor_to(one, interval_s, zone).timestamp()) for one in moments])[position]
    return starts


def interval_starts(span: Interval, interval_s: int, zone: tzinfo = UTC) -> Seconds:
    """Starts of the intervals that begin in a span, in order, in seconds since 1970."""
    # Every start is a multiple of this: offsets of zones are whole quarters of an hour.
    step = math.gcd(interval_s, QUARTER_S)
    first, end = (math.ceil(aware(edge, "interval_starts").timestamp()) for edge in (span.start, span.end))
    starts: Seconds = np.unique(floor_all(np.arange(-(-first // step) * step, end, step), interval_s, zone))
    return starts[starts >= first]


def offset_s(moment: datetime, zone: tzinfo) -> int:
    """How far a zone's clock is ahead of UTC at an aware moment, in seconds."""
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def clock_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """First whole second of the offset that a zone has at `after` and had not at `before`."""
    low, high = int(before.timestamp()), math.floor(after.timestamp())
    wanted = offset_s(after, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset_s(datetime.fromtimestamp(middle, UTC), zone) == wanted else (middle, high)
    return datetime.fromtimestamp(high, UTC)


def _demand_divisor(interval_s: int) -> None:
    if DAY_S % interval_s:
        raise ValueError(f"intervals of {interval_s} s do not divide a day")


def _around(moment: datetime, interval_s: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Start and end of the interval that holds the moment, on the clock on the wall."""
    local, length = moment.astimezone(zone).replace(tzinfo=None), timedelta(seconds=interval_s)
    wall = local - (local - datetime.combine(local.date(), time())) % length
    start, end = _on_the_wall(wall, zone), _on_the_wall(wall + length, zone)
    while end <= moment:
        wall += length
        start, end = end, _on_the_wall(wall + length, zone)
    return start, end


def _on_the_wall(wall: datetime, zone: tzinfo) -> datetime:
    """When a zone's clock shows a time, in UTC: the first time of two; where it never does, when it is set forward."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return clock_change(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def _days_of(seconds: Seconds) -> tuple[Seconds, Seconds]:
    """Days since 1970 (UTC) that hold all of some moments, and of each moment the position of its day."""
    of_each = seconds // DAY_S
    first, last = int(of_each.min()), int(of_each.max())
    if last - first < MOST_DAYS:  # sorting every moment to find a few days takes longer than flooring them
        return np.arange(first, last + 1), of_each - first
    return np.unique(of_each, return_inverse=True)


def _steady_offset_s(day: int, zone: tzinfo) -> int | None:
    """The offset of a day since 1970 (UTC) if the clock is not changed in it nor within two days before or after."""
    near = {offset_s(datetime.fromtimestamp(one * DAY_S, UTC), zone) for one in range(day - 2, day + 4)}
    return near.pop() if len(near) == 1 else None


def day_start(moment: datetime, day: DayPlan) -> datetime:
    """Start, in UTC, of the reporting day that holds the moment; a day may last 23 or 25 hours."""
    zone = ZoneInfo(day.zone)
    local = aware(moment, "day_start").astimezone(zone)
    start = datetime.combine(local.date(), day.starts, zone)
    if start.astimezone(UTC) > moment:
        start = datetime.combine(local.date() - timedelta(days=1), day.starts, zone)
    return start.astimezone(UTC)


def bucket_start(moment: datetime, size: str, day: DayPlan) -> datetime:
    """Start of the bucket of a size (not `total`) that holds the moment."""
    if size == "day":
        return day_start(moment, day)
    return floor_to(moment, STEPS_S[size], ZoneInfo(day.zone))


def buckets(span: Interval, size: str, day: DayPlan) -> Iterator[Interval]:
    """The buckets that cover a span, in order and without a gap; the first and last are cut to the span."""
    if size == "total":
        yield span
        return
    start, end = aware(span.start, "span"), aware(span.end, "span")
    while start < end:
        close = min(_next_start(start, size, day), end)
        yield Interval(start, close)
        start = close


def _next_start(moment: datetime, size: str, day: DayPlan) -> datetime:
    """Start of the bucket after the one that holds the moment."""
    if size != "day":
        return next_start(moment, STEPS_S[size], ZoneInfo(day.zone))
    # 30 h after its start lies in the next day, whether this one lasts 23, 24 or 25 hours.
    return day_start(day_start(moment, day) + timedelta(hours=30), day)
