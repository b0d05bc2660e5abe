"""Which time is due, which has been covered, and how it is written: what an outage left out is asked again.

A source's cursor holds `covered_until`; with `more` the fetch before stopped half-way and the next goes on there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from collectors import Ask
from collectors.shared.record_map import TimeForm
from metrics.intervals import floor_to, next_start
from metrics.observations import Interval, Payload


def due(ask: Ask, reach_back_s: float) -> Interval:
    """Stretch the window asked for back to where the last reading ended, at most `reach_back_s` before its end."""
    covered = _covered(ask.cursor)
    start, end = ask.window.start, ask.window.end
    if covered is None or covered >= end:
        return ask.window
    oldest = min(start, end - timedelta(seconds=reach_back_s))
    return Interval(max(covered if ask.cursor.get("more") else min(start, covered), oldest), end)


def next_cursor(payload: Payload) -> dict[str, Any]:
    """The cursor after a payload: never earlier than before."""
    covered = _covered(payload.cursor)
    until = payload.window.end if covered is None else max(covered, payload.window.end)
    return {"covered_until": until.isoformat(), "more": payload.more}


def last_interval(now: datetime, interval_s: int, zone: ZoneInfo) -> Interval:
    """The last interval that has ended: what levels of this moment stand for."""
    end = floor_to(now, interval_s, zone)
    return Interval(floor_to(end - timedelta(seconds=1), interval_s, zone), end)


def slices(window: Interval, slice_s: int, zone: ZoneInfo) -> list[Interval]:
    """Cut a window where intervals of `slice_s` begin, which divides a day; an empty window has no slice."""
    found = []
    start = window.start
    while start < window.end:
        end = min(next_start(start, slice_s, zone), window.end)
        found.append(Interval(start, end))
        start = end
    return found


def written(moment: datetime, form: TimeForm, zone: ZoneInfo) -> str | int:
    """Write a time as the source wants to be asked: an epoch is a number, anything else text."""
    if form.form == "epoch_s":
        return int(moment.timestamp())
    if form.form == "epoch_ms":
        return int(moment.timestamp()) * 1000
    local = moment.astimezone(zone if form.zone == "channel" else UTC)
    return local.isoformat() if form.form == "iso" else local.strftime(form.form)


def _covered(cursor: Mapping[str, Any]) -> datetime | None:
    until = cursor.get("covered_until")
    return None if until is None else datetime.fromisoformat(until).astimezone(UTC)
