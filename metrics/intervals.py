"""Time in pieces: half-open intervals on the reporting zone's clock, also across a change of the clock.

Inside, every time is aware; these functions refuse a naive one and name where it came from.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from config.catalogue import DayPlan
from metrics.observations import Interval, NaiveTime

STEPS_S = {"1min": 60, "5min": 300, "15min": 900, "30min": 1800, "hour": 3600}
"""Sizes that divide an hour; `day` follows the calendar, `total` is the span itself."""
HOUR_S = 3600
SIZES = (*STEPS_S, "day", "total")


def aware(moment: datetime, source: str) -> datetime:
    """The moment in UTC; raises NaiveTime, naming the source, if it has no zone."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise NaiveTime(f"{source}: the time {moment.isoformat()} has no zone")
    return moment.astimezone(UTC)


def floor_to(moment: datetime, interval_s: int, zone: tzinfo = UTC) -> datetime:
    """Start, in UTC, of the interval that holds the moment, on a zone's clock; its seconds must divide a day."""
    local = aware(moment, "floor_to").astimezone(zone)
    past_midnight = local.replace(tzinfo=None) - datetime.combine(local.date(), time())
    start = local.replace(tzinfo=None) - past_midnight % timedelta(seconds=interval_s)
    if interval_s > HOUR_S:
        return start.replace(tzinfo=zone).astimezone(UTC)
    # Within an hour the offset of the moment holds; looking it up again would mix the two hours of an autumn night.
    return (start - (local.utcoffset() or timedelta())).replace(tzinfo=UTC)


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
        return bucket_start(moment, size, day) + timedelta(seconds=STEPS_S[size])
    # 30 h after its start lies in the next day, whether this one lasts 23, 24 or 25 hours.
    return day_start(day_start(moment, day) + timedelta(hours=30), day)
