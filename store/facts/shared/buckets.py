"""Where time buckets begin, as plain arithmetic that a store can do: the same ones as `metrics.intervals`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from config.catalogue import DayPlan
from metrics.intervals import clock_change, day_start, offset_s
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
    moment = interval.start
    yield Run(_second(moment), -offset_s(moment, zone), by)
    while moment < interval.end:
        following = min(moment + timedelta(days=1), interval.end)
        if offset_s(following, zone) != offset_s(moment, zone):
            change = clock_change(moment, following, zone)
            yield Run(_second(change), -offset_s(change, zone), by)
        moment = following


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
