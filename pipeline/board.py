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
    covered_until: int | None = None
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
        )

    def day_start(self, at: datetime) -> int:
        """Start of the reporting day that holds `at`."""
        local = at.astimezone(self.zone)
        return epoch(local.replace(hour=0, minute=0, second=0, microsecond=0))

    def refresh(self, history: History, channel: str, touched: Interval, now: datetime) -> None:
        """Read the touched minutes of a channel back from the store and show them."""
        oldest = moment(epoch(now) - STEP_S * SLOTS)
        span = Interval(min(max(touched.start, oldest), touched.end), touched.end)
        rows = history.observations(span, (channel,))
        rows = rows[~rows["reported"].to_numpy(dtype=bool)]
        for source in self.catalogue.channels[channel].sources:
            measures = {delivery.measure for delivery in source.delivers}
            self.put(channel, source.id, rows[rows["measure"].isin(measures)], span, now)

    def put(self, channel: str, source: str, rows: pd.DataFrame, span: Interval, now: datetime) -> None:
        """Show what was stored: `rows` are all that a source has in a span now, reported totals left out.

        Minutes older than the grid or in the future are not shown: a wrong clock must not push out the present.
        """
        feed = self.feeds[channel, source]
        starts = rows["start"].astype("int64").to_numpy()
        shown = (starts > epoch(now) - STEP_S * SLOTS) & (starts <= epoch(now))
        rows, starts = rows[shown], starts[shown]
        with self.lock:
            if feed.day != self.day_start(now):
                feed.start_day(self.day_start(now))
            held = feed.measures.starts[feed.measures.slots(epoch(span.start), epoch(span.end))]
            for start in np.union1d(starts, held):
                self._put_minute(feed, int(start), rows[starts == start])

    def cover(self, channel: str, source: str, until: datetime) -> None:
        """Note up to when a source has been read."""
        feed = self.feeds[channel, source]
        with self.lock:
            feed.covered_until = max(feed.covered_until or 0, epoch(until))

    def restore(self, history: History, sources: Mapping[tuple[str, str], SourceStatus], now: datetime) -> None:
        """Fill the board from the store, as it must be after a start."""
        recent = Interval(now - timedelta(seconds=STEP_S * SLOTS), now)
        for channel in self.catalogue.channels:
            self.refresh(history, channel, recent, now)
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
        with self.lock:
            cells, path_cells = self._measure_cells(feed, sums), self._path_cells(feed, paths)
            feed.start_day(day)
            self._add(feed, feed.today, *cells)
            if "contacts" in feed.measures.keys:
                np.add.at(feed.today_paths, path_cells[:2], path_cells[2])

    def window(self, feed: Feed, name: str, now: datetime, back: int = 0) -> Sums | None:
        """Sums of one feed over a window, `back` windows earlier; None before anything was read."""
        end = feed.end()
        if end is None:
            return None
        length = WINDOWS[name]
        if length is None:
            return self._today(feed, now) if back == 0 else None
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
        if length is None:
            return feed.today_paths
        return feed.paths.total(end - length, end)[0]

    def buckets(self, feed: Feed, now: datetime) -> tuple[npt.NDArray[np.int64], Values, Seen]:
        """(starts, values, seen) of the last 24 five-minute buckets by (bucket, measure, top place)."""
        last = epoch(now) // BUCKET_S * BUCKET_S
        starts = last - BUCKET_S * np.arange(BUCKETS - 1, -1, -1)
        shape = (BUCKETS, feed.measures.values.shape[1], len(self.places.tops))
        values, seen = np.zeros(shape), np.zeros(shape, np.bool_)
        end = feed.end() or 0
        held = feed.measures.slots(int(starts[0]), end)
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

    def _put_minute(self, feed: Feed, start: int, rows: pd.DataFrame) -> None:
        slot = (start // STEP_S) % feed.measures.starts.size
        known = feed.measures.starts[slot] == start
        before = feed.measures.values[slot].copy() if known else np.zeros(feed.measures.values.shape[1:])
        paths_before = feed.paths.values[slot].copy() if known else np.zeros(feed.paths.values.shape[1:])
        keys, places, values = self._measure_cells(feed, rows)
        if not feed.measures.put(start, keys, places, np.zeros(len(values))):
            return
        self._add(feed, feed.measures.values[slot], keys, places, values)
        path_keys, path_places, path_values = self._path_cells(feed, rows)
        feed.paths.put(start, path_keys, path_places, path_values)
        if start >= feed.day:
            after = feed.measures.values[slot]
            highest = np.maximum(feed.today, after)
            feed.today = np.where(feed.peaks[:, None], highest, feed.today + after - before)
            feed.today_paths = _grown(feed.today_paths, feed.paths.values[slot].shape)
            feed.today_paths += feed.paths.values[slot] - _grown(paths_before, feed.paths.values[slot].shape)

    @staticmethod
    def _add(
        feed: Feed, cells: Values, keys: npt.NDArray[np.int64], places: npt.NDArray[np.int64], values: Values
    ) -> None:
        peak = feed.peaks[keys]
        np.add.at(cells, (keys[~peak], places[~peak]), values[~peak])
        np.maximum.at(cells, (keys[peak], places[peak]), values[peak])

    def _measure_cells(
        self, feed: Feed, rows: pd.DataFrame
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Values]:
        leaves = _codes(rows["region"], self.places.index)
        keys = _codes(rows["measure"], feed.measures.keys)
        lines, places = self.places.spread(leaves)
        return keys[lines], places, rows["value"].to_numpy(dtype=np.float64)[lines]

    def _path_cells(
        self, feed: Feed, rows: pd.DataFrame
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Values]:
        contacts = rows[(rows["measure"] == "contacts").to_numpy()]
        leaves = _codes(contacts["region"], self.places.index)
        keys = _codes(
            contacts["dimension"], {key: feed.paths.row(path_of(key)) for key in contacts["dimension"].unique()}
        )
        lines, places = self.places.spread(leaves)
        tops = self.top_of[places]
        chosen = tops >= 0
        values = contacts["value"].to_numpy(dtype=np.float64)
        return keys[lines][chosen], tops[chosen], values[lines][chosen]


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
