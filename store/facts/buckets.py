"""Where time buckets begin, as plain arithmetic that a store can do: the same ones as `metrics.intervals`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from config.catalogue import DayPlan
from metrics.intervals import day_start
from metrics.observations import Interval


class Run(NamedTuple):
    """A stretch of time without a change of the clock, in seconds since 1970.

    From `since` on, a second lies in the bucket that starts at `second - (second - anchor) % step`.
    """

    since: int
    anchor: int
    step: int


def runs(interval: Interval, by: int | Literal["day"], day: DayPlan) -> tuple[Run, ...]:
    """The stretches of an interval, for buckets of seconds that divide an hour or for reporting days."""
    found: list[Run] = []
    for run in _days(interval, day) if by == "day" else _clocks(interval, by, ZoneInfo(day.zone)):
        same = found and run.step == found[-1].step and (run.anchor - found[-1].anchor) % run.step == 0
        if not same:
            found.append(run)
    return tuple(found)


def _days(interval: Interval, day: DayPlan) -> Iterator[Run]:
    """Every reporting day; one on which clocks change lasts 23 or 25 hours."""
    start = day_start(interval.start, day)
    while True:
        following = day_start(start + timedelta(hours=30), day)
        yield Run(_second(start), _second(start), _second(following) - _second(start))
        if following >= interval.end:
            return
        start = following


def _clocks(interval: Interval, by: int, zone: ZoneInfo) -> Iterator[Run]:
    """Every stretch with one offset from UTC."""
    moment, end = _second(interval.start), _second(interval.end)
    yield Run(moment, -_offset(moment, zone), by)
    while moment < end:
        following = min(moment + 86_400, end)
        if _offset(following, zone) != _offset(moment, zone):
            change = _change(moment, following, zone)
            yield Run(change, -_offset(change, zone), by)
        moment = following


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """First second of the new offset."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(second: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
