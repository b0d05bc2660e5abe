"""The live board: every source's grid, summed into what the screens show.

Roll-up happens once, when a minute is put in: each value is added to its place and to every place
above it, so a window of any length at any level is one sum over minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import NATION, Catalogue, Channel, Kind, Level, Source
from metrics.observations import Interval, decode_dimensions, encode_dimensions
from metrics.readings import WINDOWS
from pipeline.grid import SLOTS, STEP_S, Grid, Seen, Values, epoch, moment
from store.history import History, Question
from store.state.progress import SourceStatus

BUCKET_S = 300
BUCKETS = 24
HORIZON_S = 7200
PATH_STAGES = ("entry", "service_type", "handling", "outcome")
"""The dimensions of `contacts` that make a contact's way, after its channel."""


class Places:
    """Every region by index, and for each the indices of itself and all above it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.codes = tuple(catalogue.regions)
        self.index = {code: at for at, code in enumerate(self.codes)}
        depth = len(Level)
        self.lines = np.full((len(self.codes), depth), -1, dtype=np.int64)
        for at, code in enumerate(self.codes):
            above: str | None = code
            for step in range(depth):
                if above is None:
                    break
                self.lines[at, step] = self.index[above]
                above = catalogue.regions[above].parent
        self.tops = np.array([self.index[NATION], *(self.index[c] for c in catalogue.at_level(Level.PROVINCE))])
        """The nation and the served provinces: the places that have trends and flows."""
        ranks = {level: rank for rank, level in enumerate(Level)}
        rank = np.array([ranks[region.level] for region in catalogue.regions.values()])
        served = np.array([region.served for region in catalogue.regions.values()])
        self.reach = {level: served & (rank <= ranks[level]) for level in Level}
        """By level: the places at which a measure counted at that level has a figure."""

    def spread(self, leaves: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(row numbers, places): each leaf's row repeated for every place of its line."""
        lines = self.lines[leaves]
        rows, steps = np.nonzero(lines >= 0)
        return rows, lines[rows, steps]


@dataclass
class Feed:
    """What one source has brought lately."""

    channel: str
    source: str
    measures: Grid
    levels: npt.NDArray[np.bool_]
    """Which rows of `measures` are levels."""
    peaks: npt.NDArray[np.bool_]
    delivered: Seen
    """By (measure, place): the source counts this measure at places of this level."""
    paths: Grid
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
    """Sum (additive) or largest (peak) since the start of the day, by (measure, place)."""
    today_paths: Values = field(init=False)

    def __post_init__(self) -> None:
        self.start_day(0)

    def start_day(self, day: int) -> None:
        """Forget the sums of the day before."""
        self.day = day
        self.today = np.zeros(self.measures.values.shape[1:])
        self.today_paths = np.zeros(self.paths.values.shape[1:])

    def end(self) -> int | None:
        """End of the newest interval whose contacts have mostly ended."""
        if self.covered_until is None:
            return None
        return self.covered_until // STEP_S * STEP_S - self.settle_s


@dataclass(frozen=True)
class Sums:
    """Measure sums of one feed over one window: values and seen by (measure, place), and the window's end."""

    values: Values
    seen: Seen
    begin: int
    end: int


@dataclass(frozen=True)
class Cells:
    """Values to be shown, in the order of their minutes: start, key, place and value of each."""

    starts: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    values: Values

    def at(self, start: int) -> "Cells":
        """Those of one minute."""
        own = slice(*np.searchsorted(self.starts, [start, start + 1]))
        return Cells(self.starts[own], self.keys[own], self.places[own], self.values[own])


class Board:
    """All feeds; written by turns, read by the publisher, one lock between them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.places = Places(catalogue)
        self.measures = tuple(catalogue.measures)
        self.measure_index = {measure: at for at, measure in enumerate(self.measures)}
        self.zone = ZoneInfo(catalogue.day.zone)
        self.lock = Lock()
        self.feeds: dict[tuple[str, str], Feed] = {}
        top_of = np.full(len(self.places.codes), -1, dtype=np.int64)
        top_of[self.places.tops] = np.arange(len(self.places.tops))
        self.top_of = top_of
        for channel in catalogue.channels.values():
            for source in channel.sources:
                self.feeds[channel.id, source.id] = self._feed(channel, source)

    def _feed(self, channel: Channel, source: Source) -> Feed:
        measures = [delivery.measure for delivery in source.delivers]
        kinds = [self.catalogue.measures[measure].kind for measure in measures]
        return Feed(
            channel.id,
            source.id,
            Grid(len(self.places.codes), measures),
            np.array([kind is Kind.LEVEL for kind in kinds]),
            np.array([kind is Kind.PEAK for kind in kinds]),
            np.array([self.places.reach[delivery.grain] for delivery in source.delivers]),
            Grid(len(self.places.tops)),
            channel.settle_s,
            np.array([self.measure_index[measure] for measure in measures], dtype=np.int64),
        )

    def feeds_of(self, channel: str) -> list[Feed]:
        """The feeds of one channel."""
        return [feed for feed in self.feeds.values() if feed.channel == channel]

    def day_start(self, at: datetime) -> int:
        """Start of the reporting day that holds `at`."""
        local = at.astimezone(self.zone)
        return epoch(local.replace(hour=0, minute=0, second=0, microsecond=0))

    def show(self, channel: str, rows: pd.DataFrame, span: Interval, now: datetime) -> None:
        """Show all that the store holds of one channel in a span; reported totals are never added."""
        rows = rows[~rows["reported"].to_numpy(dtype=bool)]
        for source in self.catalogue.channels[channel].sources:
            measures = {delivery.measure for delivery in source.delivers}
            self.put(channel, source.id, rows[rows["measure"].isin(measures)], span, now)

    def put(self, channel: str, source: str, rows: pd.DataFrame, span: Interval, now: datetime) -> None:
        """Show what was stored: `rows` are all that a source has in a span now, reported totals left out.

        Minutes older than the grid or in the future are not shown: a wrong clock must not push out the present.
        """
        feed = self.feeds[channel, source]
        with self.lock:
            feed.version += 1
            if feed.day != self.day_start(now):
                feed.start_day(self.day_start(now))
            measures, paths = self._measure_cells(feed, rows), self._path_cells(feed, rows)
            held = feed.measures.starts[feed.measures.slots(epoch(span.start), epoch(span.end))]
            for start in np.union1d(measures.starts, held):
                if epoch(now) - STEP_S * SLOTS < start <= epoch(now):
                    self._put_minute(feed, int(start), measures.at(start), paths.at(start))

    def cover(self, channel: str, source: str, until: datetime) -> None:
        """Note up to when a source has been read."""
        feed = self.feeds[channel, source]
        with self.lock:
            feed.covered_until = max(feed.covered_until or 0, epoch(until))
            feed.version += 1

    def restore(self, history: History, sources: Mapping[tuple[str, str], SourceStatus], now: datetime) -> None:
        """Fill the board from the store, as it must be after a start."""
        recent = Interval(now - timedelta(seconds=STEP_S * SLOTS), now)
        for channel in self.catalogue.channels:
            self.show(channel, history.observations(recent, (channel,)), recent, now)
        for (channel, source), status in sources.items():
            if (channel, source) in self.feeds and status.covered_until is not None:
                self.cover(channel, source, status.covered_until)
        for feed in self.feeds.values():
            self._restore_today(history, feed, now)

    def _restore_today(self, history: History, feed: Feed, now: datetime) -> None:
        """Set the sums of the day so far from the store."""
        day = self.day_start(now)
        span = Interval(moment(day), now)
        if span.start == span.end:
            return
        measures = tuple(feed.measures.keys)
        sums = history.totals(Question(measures, span, group=("region",), channels=(feed.channel,)))
        paths = history.totals(Question(("contacts",), span, group=("region", *PATH_STAGES), channels=(feed.channel,)))
        stages = paths[list(PATH_STAGES)].astype(str).to_dict("records")
        paths["dimension"] = [encode_dimensions({k: v for k, v in row.items() if v}) for row in stages]
        sums["start"] = paths["start"] = span.start
        with self.lock:
            feed.start_day(day)
            feed.version += 1
            _add(feed.today, self._measure_cells(feed, sums), feed.peaks)
            path_cells = self._path_cells(feed, paths)
            feed.today_paths = _grown(feed.today_paths, feed.paths.values.shape[1:])
            np.add.at(feed.today_paths, (path_cells.keys, path_cells.places), path_cells.values)

    def window(self, feed: Feed, name: str, now: datetime, back: int = 0) -> Sums | None:
        """Sums of one feed over a window, `back` windows earlier; None where nothing, or not all of it, was read."""
        end = feed.end()
        if end is None:
            return None
        length = WINDOWS[name]
        with self.lock:
            if length is None:
                return self._today(feed, now) if back == 0 else None
            begins_unread = feed.first is None or end - (back + 1) * length < feed.first
            return None if back and begins_unread else self._past(feed, end, length, back)

    def _past(self, feed: Feed, end: int, length: int, back: int) -> Sums:
        begin = end - (back + 1) * length
        values, seen = feed.measures.total(begin, begin + length)
        newest = max(feed.covered_until or end, end) if back == 0 else begin + length
        _replace(values, seen, feed.levels, feed.measures.last(newest - length, newest))
        _replace(values, seen, feed.peaks, feed.measures.peak(newest - length, newest))
        return Sums(values, seen, begin, begin + length)

    def path_window(self, feed: Feed, name: str) -> Values | None:
        """Contacts of one feed by (path, top place) over a window."""
        end = feed.end()
        if end is None:
            return None
        length = WINDOWS[name]
        with self.lock:
            return feed.today_paths.copy() if length is None else feed.paths.total(end - length, end)[0]

    @staticmethod
    def last_bucket(now: datetime) -> int:
        """Start of the five-minute bucket that holds `now`."""
        return epoch(now) // BUCKET_S * BUCKET_S

    def buckets(self, feed: Feed, now: datetime) -> tuple[npt.NDArray[np.int64], Values, Seen]:
        """(starts, values, seen) of the last 24 five-minute buckets by (bucket, measure, top place)."""
        starts = self.last_bucket(now) - BUCKET_S * np.arange(BUCKETS - 1, -1, -1)
        shape = (BUCKETS, feed.measures.values.shape[1], len(self.places.tops))
        values, seen = np.zeros(shape), np.zeros(shape, np.bool_)
        with self.lock:
            held = feed.measures.slots(int(starts[0]), feed.end() or 0)
            at = (feed.measures.starts[held] - starts[0]) // BUCKET_S
            minutes = feed.measures.values[held][:, :, self.places.tops]
            read = feed.measures.seen[held][:, :, self.places.tops]
        np.add.at(values, at, minutes)
        np.logical_or.at(seen, at, read)
        for step, bucket in enumerate(at):
            values[bucket, feed.levels] = minutes[step, feed.levels]
        if feed.peaks.any():
            highest = np.zeros((BUCKETS, int(feed.peaks.sum()), shape[2]))
            np.maximum.at(highest, at, minutes[:, feed.peaks])
            values[:, feed.peaks] = highest
        return starts, values, seen

    def _today(self, feed: Feed, now: datetime) -> Sums:
        begin, end = self.day_start(now), feed.covered_until or 0
        values = np.zeros(feed.measures.values.shape[1:])
        if feed.day == begin:
            values += feed.today
        seen = values != 0
        _replace(values, seen, feed.levels, feed.measures.last(end - HORIZON_S, end))
        return Sums(values, seen, begin, end)

    def _put_minute(self, feed: Feed, start: int, measures: Cells, paths: Cells) -> None:
        slot = feed.measures.slot(start)
        known = feed.measures.starts[slot] == start
        before = feed.measures.values[slot].copy() if known else np.zeros(feed.measures.values.shape[1:])
        paths_before = feed.paths.values[slot].copy() if known else np.zeros(feed.paths.values.shape[1:])
        if not feed.measures.clear(start):
            return
        feed.first = start if feed.first is None else min(feed.first, start)
        feed.paths.clear(start)
        _add(feed.measures.values[slot], measures, feed.peaks)
        feed.measures.seen[slot, measures.keys, measures.places] = True
        np.add.at(feed.paths.values[slot], (paths.keys, paths.places), paths.values)
        if start >= feed.day:
            after = feed.measures.values[slot]
            summed = feed.today + after - before
            summed[feed.peaks] = np.maximum(feed.today, after)[feed.peaks]
            feed.today = summed
            feed.today_paths = _grown(feed.today_paths, paths_before.shape) + feed.paths.values[slot] - paths_before

    def _measure_cells(self, feed: Feed, rows: pd.DataFrame) -> Cells:
        keys = _codes(rows["measure"], feed.measures.keys)
        lines, places = self.places.spread(_codes(rows["region"], self.places.index))
        return _cells(rows, lines, keys, places)

    def _path_cells(self, feed: Feed, rows: pd.DataFrame) -> Cells:
        """Contacts by path at the nation and the provinces; unknown paths get a row of their own first."""
        contacts = rows[(rows["measure"] == "contacts").to_numpy()]
        ways = {key: feed.paths.row(path_of(key)) for key in contacts["dimension"].unique()}
        lines, places = self.places.spread(_codes(contacts["region"], self.places.index))
        tops = self.top_of[places]
        return _cells(contacts, lines[tops >= 0], _codes(contacts["dimension"], ways), tops[tops >= 0])


def _cells(
    rows: pd.DataFrame, lines: npt.NDArray[np.int64], keys: npt.NDArray[np.int64], places: npt.NDArray[np.int64]
) -> Cells:
    """Cells of a table in the order of their minutes; `lines` says which row each place takes its value from."""
    starts = rows["start"].to_numpy(dtype="datetime64[s]").astype(np.int64)[lines]
    order = np.argsort(starts, kind="stable")
    values = rows["value"].to_numpy(dtype=np.float64)[lines]
    return Cells(starts[order], keys[lines][order], places[order], values[order])


def _add(into: Values, cells: Cells, peaks: npt.NDArray[np.bool_]) -> None:
    """Add cells up; those of peaks take the largest."""
    peak = peaks[cells.keys]
    np.add.at(into, (cells.keys[~peak], cells.places[~peak]), cells.values[~peak])
    np.maximum.at(into, (cells.keys[peak], cells.places[peak]), cells.values[peak])


def path_of(dimension: str) -> str:
    """The stages of the flow in a dimension key, as a key of their own."""
    values = decode_dimensions(dimension)
    return encode_dimensions({stage: values[stage] for stage in PATH_STAGES if stage in values})


def _replace(values: Values, seen: Seen, rows: npt.NDArray[np.bool_], other: tuple[Values, Seen]) -> None:
    """Take some measures' cells from another sum."""
    values[rows] = other[0][rows]
    seen[rows] = other[1][rows]


def _codes(column: pd.Series, index: dict[str, int]) -> npt.NDArray[np.int64]:
    """Index of every cell of a text or category column, by way of its distinct values."""
    coded = column.astype("category").cat.remove_unused_categories()
    table = np.array([index[name] for name in coded.cat.categories], dtype=np.int64)
    codes = coded.cat.codes.to_numpy()
    return table[codes] if len(table) else np.zeros(0, dtype=np.int64)


def _grown(values: Values, shape: tuple[int, ...]) -> Values:
    """The same numbers in an array at least as large."""
    if values.shape == shape:
        return values
    larger = np.zeros(shape)
    larger[: values.shape[0], : values.shape[1]] = values
    return larger
