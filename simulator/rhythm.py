"""The daily and weekly shape of demand in the nation's own time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from simulator.habits import Habits

ZONE = ZoneInfo("Asia/Shanghai")


def shape(habits: Habits, at: float) -> float:
    """Demand at an instant (seconds since 1970) as a part of the busiest hour's, smooth between hours."""
    moment = datetime.fromtimestamp(at, ZONE)
    hour = moment.hour + moment.minute / 60 + moment.second / 3600 - 0.5
    before = int(hour // 1)
    part = hour - before
    height = habits.hours[before % 24] * (1 - part) + habits.hours[(before + 1) % 24] * part
    return height * habits.weekdays[moment.weekday()]


def local(at: float) -> datetime:
    """The instant on the nation's wall clock, whole seconds."""
    return datetime.fromtimestamp(int(at), ZONE)
