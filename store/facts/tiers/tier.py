"""A tier: a history that holds the same facts by larger buckets of time, for longer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.catalogue import DayPlan
from metrics.intervals import bucket_start, buckets
from metrics.observations import Interval
from store.facts.history import History

LONGER_THAN_ANY_BUCKET = timedelta(days=2)


@dataclass(frozen=True)
class Tier:
    """A history and the size of its buckets."""

    name: str
    history: History
    keep: timedelta
    """How long it holds what it was given, in whole reporting days."""
    size: str | None = None
    """A size of `metrics.intervals.SIZES`; None: as it arrived."""
    with_instants: bool = True
    """Whether it keeps every instant of the levels whose mean or largest counts."""
    at_once: int = 1
    """Buckets of one channel that are rolled in one go: few enough for their rows to fit into memory."""

    def bucket(self, moment: datetime, day: DayPlan) -> Interval:
        """The bucket that holds a moment."""
        if self.size is None:
            raise ValueError(f"the tier {self.name} keeps rows as they arrived: it has no buckets")
        start = bucket_start(moment, self.size, day)
        return next(buckets(Interval(start, start + LONGER_THAN_ANY_BUCKET), self.size, day))

    def inside(self, span: Interval, day: DayPlan) -> Interval | None:
        """The whole buckets of a span; None: there is none."""
        first, last = self.bucket(span.start, day), self.bucket(span.end, day)
        low = first.start if first.start == span.start else first.end
        return Interval(low, last.start) if low < last.start else None
