"""The live board: every source's grid, summed into what the screens show.

Values are rolled up once, before a minute is put in (`minutes.py`), so a window of any length at any level is one sum
over minutes.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue, Channel, Kind, Source
from metrics.observations import Interval, decode_dimensions, encode_dimensions
from metrics.readings import WINDOWS
from pipeline.board.feed import BUCKET_S, BUCKETS, Feed, Minute, Sums
from pipeline.board.minute_grid import SLOTS, STEP_S, MinuteGrid, Seen, Values, epoch, moment
from pipeline.board.minutes import CONTACTS, FeedMinutes, groups_of_feeds, lay
from pipeline.board.places import Places
from pipeline.board.rows import COLUMNS, Rows
from store.facts.history import History, SumQuery
from store.state.progress import SourceStatus

PATH_STAGES = ("entry", "service_type", "handling", "outcome")
"""The dimensions of `contacts` that make a contact's way, after its channel."""


class Board:
    """All feeds; written by turns, read by the publisher, one lock between them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.places = Places(catalogue)
        self.measures = tuple(catalogue.measures)
        self.measure_index = {measure: at for at, measure in enumerate(self.measures)}
        self.zone = ZoneInfo(catalogue.day.zone)
        self.lock = Lock()
        self.judging = {channel: Lock() for channel in catalogue.channels}
        self.feeds: dict[tuple[str, str], Feed] = {}
        for channel in catalogue.channels.values():
            for source in channel.sources:
                self.feeds[channel.id, source.id] = self._feed(channel, source)

    @contextmanager
    def judged(self, channels: Set[str]) -> Iterator[None]:
        """From reading what is stored of these channels to showing it nobody else does, so that what was read last is
        what stays; sources of one channel come at the same time.
        """
        with ExitStack() as held:
            for channel in sorted(self.judging.keys() & channels):
                held.enter_context(self.judging[channel])
            yield

    def _feed(self, channel: Channel, source: Source) -> Feed:
        measures = [delivery.measure for delivery in source.delivers]
        kinds = [self.catalogue.measures[measure].kind for measure in measures]
        rows = np.array([self.measure_index[measure] for measure in measures], dtype=np.int64)
        return Feed(
            channel.id,
            source.id,
            MinuteGrid(len(self.places.codes), measures),
            np.array([kind is Kind.LEVEL for kind in kinds]),
            np.array([kind is Kind.PEAK for kind in kinds]),
            np.array([self.places.reach[delivery.grain] for delivery in source.delivers]),
            MinuteGrid(len(self.places.tops)),
            channel.settle_s,
            rows,
        )

    def feeds_of(self, channel: str) -> list[Feed]:
        """The feeds of one channel."""
        return [feed for feed in self.feeds.values() if feed.channel == channel]

    def day_start(self, at: datetime) -> int:
        """Start of the reporting day that holds `at`."""
        local = at.astimezone(self.zone)
        return epoch(local.replace(hour=0, minute=0, second=0, microsecond=0))

    def show(self, rows: pd.DataFrame, span: Interval, channels: Iterable[str], now: datetime) -> None:
        """Show all that the store holds of some channels in a span; reported totals are never added.

        Minutes older than the grid or in the future are not shown: a wrong clock must not push out the present.
        """
        begin = max(epoch(span.start) // STEP_S * STEP_S, (epoch(now) // STEP_S - SLOTS) * STEP_S)
        minutes = max(0, -(-(min(epoch(span.end), epoch(now) + 1) - begin) // STEP_S))
        coded = Rows.of(rows)
        for feeds in groups_of_feeds((feed for channel in channels for feed in self.feeds_of(channel)), minutes):
            for feed, laid in zip(feeds, lay(feeds, self.places, coded, begin, minutes), strict=True):
                self._put(feed, laid, begin, now)

    def _put(self, feed: Feed, laid: FeedMinutes, begin: int, now: datetime) -> None:
        """Show all that a feed has now in the minutes from `begin` on."""
        with self.lock:
            feed.version += 1
            if feed.day != self.day_start(now):
                feed.start_day(self.day_start(now))
            for minute in self._minutes(feed, laid, begin):
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
            rows = history.observations(recent, (channel,), columns=COLUMNS)
            self.show(rows, recent, (channel,), now)
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
        sums = history.totals(SumQuery(measures, span, group=("region",), channels=(feed.channel,)))
        paths = history.totals(SumQuery((CONTACTS,), span, group=("region", *PATH_STAGES), channels=(feed.channel,)))
        stages = paths[list(PATH_STAGES)].astype(str).to_dict("records")
        paths["dimension"] = [encode_dimensions({k: v for k, v in row.items() if v}) for row in stages]
        peaks = tuple(name for name, is_peak in zip(measures, feed.peaks, strict=True) if is_peak)
        left = Interval(span.start, max(span.start, moment(epoch(now) - STEP_S * SLOTS + 1)))
        asked = SumQuery(peaks, left, group=("region",), channels=(feed.channel,))
        highest = history.totals(asked) if peaks and left.start < left.end else sums[:0]
        with self.lock:
            feed.start_day(day)
            feed.version += 1
            feed.today = self._sums(feed, sums).values[0]
            feed.today[feed.peaks] = 0.0
            feed.past_peaks = self._sums(feed, highest).values[0, feed.peaks]
            feed.today_paths = self._paths(feed, self._sums(feed, paths))[0]

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

    def _sums(self, feed: Feed, frame: pd.DataFrame) -> FeedMinutes:
        """Sums of one feed over a time, as if they were one minute's; of a frame without dimensions they have none."""
        beside = {"channel": feed.channel, "reported": False, "start": pd.Timestamp(0, tz="UTC")}
        rows = Rows.of(frame.assign(**beside, dimension=frame.get("dimension", "")))
        return next(lay([feed], self.places, rows, 0, 1))

    def _minutes(self, feed: Feed, laid: FeedMinutes, begin: int) -> Iterator[Minute]:
        """The minutes that rows are about, or that were shown before, as they are stored now."""
        paths = self._paths(feed, laid)
        told: npt.NDArray[np.bool_] = np.logical_or.reduce(laid.seen, axis=(1, 2))
        for at in range(len(told)):
            start = begin + at * STEP_S
            if told[at] or feed.measures.starts[feed.measures.slot(start)] == start:
                yield Minute(start, laid.values[at], laid.seen[at], paths[at])

    def _paths(self, feed: Feed, laid: FeedMinutes) -> Values:
        """Contacts by (minute, path, top place); unknown paths get a row of their own first."""
        contacts = laid.contacts
        ways = np.full(len(contacts.keys), -1)
        for code in np.unique(contacts.dimension):
            ways[code] = feed.paths.row(path_of(contacts.keys[code]))
        lines, tops = self.places.tops_of(contacts.place)
        shape = (len(laid.values), *feed.paths.values.shape[1:])
        at = (contacts.step[lines] * shape[1] + ways[contacts.dimension[lines]]) * shape[2] + tops
        return np.bincount(at, contacts.value[lines], math.prod(shape)).reshape(shape)


def path_of(dimension: str) -> str:
    """The stages of the flow in a dimension key, as a key of their own."""
    values = decode_dimensions(dimension)
    return encode_dimensions({stage: values[stage] for stage in PATH_STAGES if stage in values})
