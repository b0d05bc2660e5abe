"""The live board: every source's grid, summed into what the screens show.

Roll-up happens once, when a minute is put in: each value is added to its place and to every place
above it, so a window of any length at any level is one sum over minutes.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Channel, Kind, Source
from metrics.observations import Interval, decode_dimensions, encode_dimensions
from metrics.readings import WINDOWS
from pipeline.feed import BUCKET_S, BUCKETS, Feed, Minute, Sums
from pipeline.grid import SLOTS, STEP_S, Grid, Seen, Values, epoch, moment
from pipeline.places import Places
from pipeline.rows import Rows
from store.history import History, Question
from store.state.progress import SourceStatus

PATH_STAGES = ("entry", "service_type", "handling", "outcome")
"""The dimensions of `contacts` that make a contact's way, after its channel."""
CONTACTS = "contacts"


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
        for channel in catalogue.channels.values():
            for source in channel.sources:
                self.feeds[channel.id, source.id] = self._feed(channel, source)

    def _feed(self, channel: Channel, source: Source) -> Feed:
        measures = [delivery.measure for delivery in source.delivers]
        kinds = [self.catalogue.measures[measure].kind for measure in measures]
        rows = np.array([self.measure_index[measure] for measure in measures], dtype=np.int64)
        row_of = np.full(len(self.measures) + 1, -1)
        row_of[rows] = np.arange(len(rows))
        return Feed(
            channel.id,
            source.id,
            Grid(len(self.places.codes), measures),
            np.array([kind is Kind.LEVEL for kind in kinds]),
            np.array([kind is Kind.PEAK for kind in kinds]),
            np.array([self.places.reach[delivery.grain] for delivery in source.delivers]),
            Grid(len(self.places.tops)),
            channel.settle_s,
            rows,
            row_of,
        )

    def feeds_of(self, channel: str) -> list[Feed]:
        """The feeds of one channel."""
        return [feed for feed in self.feeds.values() if feed.channel == channel]

    def day_start(self, at: datetime) -> int:
        """Start of the reporting day that holds `at`."""
        local = at.astimezone(self.zone)
        return epoch(local.replace(hour=0, minute=0, second=0, microsecond=0))

    def show(self, rows: pd.DataFrame, span: Interval, channels: Iterable[str], now: datetime) -> None:
        """Show all that the store holds of some channels in a span; reported totals are never added."""
        reported = rows["reported"].to_numpy(dtype=bool)
        parts = rows[~reported] if reported.any() else rows
        for channel, own in self._rows(parts).by(parts["channel"], channels).items():
            for source in self.catalogue.channels[channel].sources:
                self._put(self.feeds[channel, source.id], own, span, now)

    def _put(self, feed: Feed, rows: Rows, span: Interval, now: datetime) -> None:
        """Show all that a channel has in a span now.

        Minutes older than the grid or in the future are not shown: a wrong clock must not push out the present.
        """
        with self.lock:
            feed.version += 1
            if feed.day != self.day_start(now):
                feed.start_day(self.day_start(now))
            begin = max(epoch(span.start) // STEP_S * STEP_S, (epoch(now) // STEP_S - SLOTS) * STEP_S)
            for minute in self._minutes(feed, rows, begin, min(epoch(span.end), epoch(now) + 1)):
                if epoch(now) - STEP_S * SLOTS < minute.start:
                    feed.put(minute)

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
            self.show(history.observations(recent, (channel,)), recent, (channel,), now)
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
        paths = history.totals(Question((CONTACTS,), span, group=("region", *PATH_STAGES), channels=(feed.channel,)))
        stages = paths[list(PATH_STAGES)].astype(str).to_dict("records")
        paths["dimension"] = [encode_dimensions({k: v for k, v in row.items() if v}) for row in stages]
        peaks = tuple(name for name, is_peak in zip(measures, feed.peaks, strict=True) if is_peak)
        left = Interval(span.start, max(span.start, moment(epoch(now) - STEP_S * SLOTS + 1)))
        asked = Question(peaks, left, group=("region",), channels=(feed.channel,))
        highest = history.totals(asked) if peaks and left.start < left.end else sums[:0]
        with self.lock:
            feed.start_day(day)
            feed.version += 1
            feed.today = self._cells(feed, self._sums(sums), np.zeros(len(sums), np.int64), 1)[0][0]
            feed.today[feed.peaks] = 0.0
            past = self._cells(feed, self._sums(highest), np.zeros(len(highest), np.int64), 1)[0]
            feed.past_peaks = past[0, feed.peaks]
            feed.today_paths = self._paths(feed, self._sums(paths), np.zeros(len(paths), np.int64), 1)[0]

    def window(self, feed: Feed, name: str, now: datetime, back: int = 0) -> Sums | None:
        """Sums of one feed over a window, `back` windows earlier; None where nothing, or not all of it, was read."""
        end, length = feed.end(), WINDOWS[name]
        if end is None or (length is None and back):
            return None
        with self.lock:
            return feed.so_far(self.day_start(now)) if length is None else feed.past(end, length, back)

    def path_window(self, feed: Feed, name: str) -> Values | None:
        """Contacts of one feed by (path, top place) over a window."""
        with self.lock:
            return feed.path_window(name)

    @staticmethod
    def last_bucket(now: datetime) -> int:
        """Start of the five-minute bucket that holds `now`."""
        return epoch(now) // BUCKET_S * BUCKET_S

    def buckets(self, feed: Feed, now: datetime) -> tuple[npt.NDArray[np.int64], Values, Seen]:
        """(starts, values, seen) of the last 24 five-minute buckets by (bucket, measure, top place)."""
        starts = self.last_bucket(now) - BUCKET_S * np.arange(BUCKETS - 1, -1, -1)
        with self.lock:
            return starts, *feed.buckets(starts, self.places.tops)

    def _rows(self, frame: pd.DataFrame) -> Rows:
        return Rows.of(frame, self.measure_index, self.places.index)

    def _sums(self, frame: pd.DataFrame) -> Rows:
        """Sums over a time as rows; of a frame without dimensions they have none."""
        return self._rows(frame.assign(start=np.datetime64(0, "s"), dimension=frame.get("dimension", "")))

    def _minutes(self, feed: Feed, rows: Rows, begin: int, end: int) -> Iterator[Minute]:
        """The minutes of [begin, end) that rows are about, or that were shown before, as they are stored now."""
        step = (rows.start - begin) // STEP_S
        length = max(0, -(-(end - begin) // STEP_S))
        inside = (step >= 0) & (step < length)
        if not inside.all():
            rows, step = rows.only(inside), step[inside]
        values, seen = self._cells(feed, rows, step, length)
        paths = self._paths(feed, rows, step, length)
        told: npt.NDArray[np.bool_] = np.logical_or.reduce(seen, axis=(1, 2))
        for at in range(length):
            start = begin + at * STEP_S
            if told[at] or feed.measures.starts[feed.measures.slot(start)] == start:
                yield Minute(start, values[at], seen[at], paths[at])

    def _cells(self, feed: Feed, rows: Rows, step: npt.NDArray[np.int64], steps: int) -> tuple[Values, Seen]:
        """(values, seen) of a feed's measures by (step, measure, place), rolled up."""
        shape = (steps, *feed.measures.values.shape[1:])
        keys = feed.row_of[rows.measure]
        own = keys >= 0
        if not own.all():
            rows, step, keys = rows.only(own), step[own], keys[own]
        at = (step * shape[1] + keys) * shape[2] + rows.place
        value, size = rows.value, int(np.prod(shape))
        values = np.bincount(at, value, size).reshape(shape)
        seen = (np.bincount(at, minlength=size) > 0).reshape(shape)
        largest = feed.peaks[keys]
        if largest.any():
            values[:, feed.peaks] = 0.0
            np.maximum.at(values.reshape(-1), at[largest], value[largest])
        peaks = values[:, feed.peaks]
        self.places.add_up(peaks, np.maximum)
        self.places.add_up(values, np.add)
        values[:, feed.peaks] = peaks
        self.places.add_up(seen, np.logical_or)
        return values, seen

    def _paths(self, feed: Feed, rows: Rows, step: npt.NDArray[np.int64], steps: int) -> Values:
        """Contacts by (step, path, top place); unknown paths get a row of their own first."""
        counts = np.flatnonzero(rows.measure == self.measure_index.get(CONTACTS, -2))
        if CONTACTS not in feed.measures.keys:
            counts = counts[:0]
        contacts, step = rows.only(counts), step[counts]
        ways = np.full(len(contacts.keys), -1)
        for code in np.unique(contacts.dimension):
            ways[code] = feed.paths.row(path_of(contacts.keys[code]))
        lines, tops = self.places.tops_of(contacts.place)
        shape = (steps, *feed.paths.values.shape[1:])
        at = (step[lines] * shape[1] + ways[contacts.dimension[lines]]) * shape[2] + tops
        return np.bincount(at, contacts.value[lines], int(np.prod(shape))).reshape(shape)


def path_of(dimension: str) -> str:
    """The stages of the flow in a dimension key, as a key of their own."""
    values = decode_dimensions(dimension)
    return encode_dimensions({stage: values[stage] for stage in PATH_STAGES if stage in values})
