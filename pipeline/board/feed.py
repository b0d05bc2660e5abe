"""What one source has brought lately, minute by minute, and what that comes to over a window."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from metrics.readings import WINDOWS
from pipeline.board.minute_grid import STEP_S, MinuteGrid, Seen, Values

BUCKET_S = 300
BUCKETS = 24
HORIZON_S = 7200
DAY_S = 2 * 86_400
"""No reporting day lasts longer."""


@dataclass(frozen=True)
class Sums:
    """Measure sums of one feed over one window: values and seen by (measure, place), and the window's end."""

    values: Values
    seen: Seen
    begin: int
    end: int


@dataclass(frozen=True)
class Minute:
    """All that is stored of one minute: values and seen by (measure, place), contacts by (path, top place)."""

    start: int
    values: Values
    seen: Seen
    paths: Values


@dataclass
class Feed:
    """What one source has brought lately."""

    channel: str
    source: str
    measures: MinuteGrid
    levels: npt.NDArray[np.bool_]
    """Which rows of `measures` are levels."""
    peaks: npt.NDArray[np.bool_]
    delivered: Seen
    """By (measure, place): the source counts this measure at places of this level."""
    paths: MinuteGrid
    """Contacts by dimension key, for the nation and the provinces."""
    settle_s: int
    rows: npt.NDArray[np.int64]
    """Where each row of `measures` stands among the catalogue's measures."""
    covered_until: int | None = None
    first: int | None = None
    """Oldest minute that was shown: before it nothing is known, which is not zero."""
    version: int = 0
    """Counts what changed here."""
    day: int = 0
    today: Values = field(init=False)
    """Sum since the start of the day, by (measure, place); 0 for peaks."""
    past_peaks: Values = field(init=False)
    """Largest of the day's minutes that the grid holds no more, by (peak, place): a correction may lower the others."""
    today_paths: Values = field(init=False)

    def __post_init__(self) -> None:
        self.start_day(0)

    def start_day(self, day: int) -> None:
        """Forget the sums of the day before."""
        self.day = day
        self.today = np.zeros(self.measures.values.shape[1:])
        self.past_peaks = np.zeros((int(self.peaks.sum()), self.measures.places))
        self.today_paths = np.zeros(self.paths.values.shape[1:])

    def end(self) -> int | None:
        """End of the newest interval whose contacts have mostly ended."""
        if self.covered_until is None:
            return None
        return self.covered_until // STEP_S * STEP_S - self.settle_s

    def put(self, minute: Minute) -> None:
        """Show a minute as it is stored now; one that is older than what the grid holds is not shown."""
        slot = self.measures.slot(minute.start)
        known = self.measures.starts[slot] == minute.start
        before = self.measures.values[slot].copy() if known else 0.0
        paths_before = self.paths.values[slot].copy() if known else np.zeros(minute.paths.shape)
        left = int(self.measures.starts[slot])
        if self.day <= left < minute.start:
            self.past_peaks = np.maximum(self.past_peaks, self.measures.values[slot][self.peaks])
        if not self.measures.clear(minute.start):
            return
        self.first = minute.start if self.first is None else min(self.first, minute.start)
        self.paths.clear(minute.start)
        self.measures.values[slot], self.measures.seen[slot] = minute.values, minute.seen
        self.paths.values[slot, : len(minute.paths)] = minute.paths
        if minute.start >= self.day:
            self.today = self.today + (minute.values - before)
            self.today[self.peaks] = 0.0
            paths = self.paths.values[slot]
            self.today_paths = grown(self.today_paths, paths.shape) + (paths - grown(paths_before, paths.shape))

    def past(self, end: int, length: int, back: int) -> Sums | None:
        """Sums over a window that ends at `end`, `back` windows earlier; None where not all of that was read."""
        begin = end - (back + 1) * length
        if back and (self.first is None or begin < self.first):
            return None
        values, seen = self.measures.total(begin, begin + length)
        newest = max(self.covered_until or end, end) if back == 0 else begin + length
        _replace(values, seen, self.levels, self.measures.last(newest - length, newest, self.levels))
        _replace(values, seen, self.peaks, self.measures.peak(newest - length, newest, self.peaks))
        return Sums(values, seen, begin, begin + length)

    def so_far(self, day: int) -> Sums:
        """Sums since the start of the day."""
        end = self.covered_until or 0
        values = self.today.copy() if self.day == day else np.zeros(self.today.shape)
        if self.day == day and self.peaks.any():
            values[self.peaks] = np.maximum(self.past_peaks, self.measures.peak(day, day + DAY_S, self.peaks)[0])
        seen = values != 0
        _replace(values, seen, self.levels, self.measures.last(end - HORIZON_S, end, self.levels))
        return Sums(values, seen, day, end)

    def path_window(self, name: str) -> Values | None:
        """Contacts by (path, top place) over a window; None before the source was read."""
        end, length = self.end(), WINDOWS[name]
        if end is None:
            return None
        return self.today_paths.copy() if length is None else self.paths.total(end - length, end)[0]

    def buckets(self, starts: npt.NDArray[np.int64], tops: npt.NDArray[np.int64]) -> tuple[Values, Seen]:
        """(values, seen) by (bucket, measure, top place) of five-minute buckets that start at `starts`."""
        shape = (len(starts), self.measures.values.shape[1], len(tops))
        values, seen = np.zeros(shape), np.zeros(shape, np.bool_)
        held = self.measures.slots(int(starts[0]), self.end() or 0)
        for slot, bucket in zip(held, (self.measures.starts[held] - starts[0]) // BUCKET_S, strict=True):
            minute = self.measures.values[slot][:, tops]
            added = np.where(self.peaks[:, None], np.maximum(values[bucket], minute), values[bucket] + minute)
            values[bucket] = np.where(self.levels[:, None], minute, added)
            seen[bucket] |= self.measures.seen[slot][:, tops]
        return values, seen


def grown(values: Values, shape: tuple[int, ...]) -> Values:
    """The same numbers in an array at least as large."""
    if values.shape == shape:
        return values
    larger = np.zeros(shape)
    larger[: values.shape[0], : values.shape[1]] = values
    return larger


def _replace(values: Values, seen: Seen, rows: npt.NDArray[np.bool_], other: tuple[Values, Seen]) -> None:
    """Take some measures' cells from elsewhere."""
    values[rows], seen[rows] = other
