"""Rolls each tier from the one below it: only buckets that are marked, and only what differs in them is written.

1. A bucket that is over, and whose contacts have had their time to settle, is marked as the front goes past it.
2. A write that touches a bucket behind the front marks it: before, in case of a crash (what a table names, and what
   contacts leave, which is told before it can be seen), and after, in case the front went past meanwhile.
3. A marked bucket is read in the tier below, condensed, compared to what the tier holds, and written where it differs;
   then its mark goes, unless it was marked again. Whatever is interrupted is done again and changes nothing.
4. A bucket that the tier below has closed is compared once more before that may forget it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pandas as pd

from config.catalogue import Catalogue
from metrics.condensing import condensed
from metrics.observations import OBSERVATION_COLUMNS, Interval
from store.facts.history import BatchStamp, SumQuery, Written
from store.facts.tiers.lateness import starts_of
from store.facts.tiers.tier import Tier
from store.state.tier_progress import Front, Mark, TierProgress, TierProgressStore

BATCH = "rolled"
"""One name for all that is rolled: a name a bucket would be a name for ever."""
LONG_SPAN = timedelta(days=1)
"""A span in which it is looked up what is held, because its buckets may be a million (a clock that was never set)."""
LONGEST_RUN = 96
"""Buckets that are looked at together: a day of quarters, so that a month of silence is passed in thirty looks."""
KEY = [name for name in OBSERVATION_COLUMNS if name != "value"]


@dataclass(frozen=True)
class Rolled:
    """What a run did."""

    buckets: int = 0
    """Buckets of a channel that were compared."""
    inserted: int = 0
    changed: int = 0
    removed: int = 0

    def __add__(self, other: "Rolled") -> "Rolled":
        return Rolled(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


class Roller:
    """The way from each tier to the one above it; safe in several processes at once, which repeat each other's work."""

    def __init__(self, tiers: Sequence[Tier], tier_progress: TierProgressStore, catalogue: Catalogue) -> None:
        self._tiers, self._progress_store, self._catalogue = tiers, tier_progress, catalogue

    def roll(self, now: datetime, most: int) -> Rolled:
        """Compare at most so many buckets, marked ones first; call again for the rest."""
        done = Rolled()
        for level in range(1, len(self._tiers)):
            for work in (self._marked, self._forward, self._proving):
                for rolled in work(level, now):
                    done += rolled
                    if done.buckets >= most:
                        return done
        return done

    def store(self, level: int, channel: str, starts: Iterable[datetime], write: Callable[[], Written]) -> Written:
        """Write to a tier and mark what that touches behind the front of the tier above.

        `starts` are those that the table names; a contact may touch others too, which the write must `note`.
        """
        return self.store_all(level, [(channel, starts)], lambda: (write(),))[0]

    def store_all(
        self, level: int, named: Sequence[tuple[str, Iterable[datetime]]], write: Callable[[], tuple[Written, ...]]
    ) -> tuple[Written, ...]:
        """The same for several tables that are written at once, each with its channel and the starts it names."""
        if level + 1 == len(self._tiers):
            return write()
        self._mark(level + 1, named)
        written = write()
        for (channel, _), table_written in zip(named, written, strict=True):
            if table_written.touched is not None:
                self.note(level, channel, table_written.touched)
        return written

    def note(self, level: int, channel: str, touched: Interval) -> None:
        """Mark what lies in a span behind the front of the tier above."""
        self._mark(level + 1, [(channel, self._touched(level + 1, channel, touched))])

    def _mark(self, level: int, named: Iterable[tuple[str, Iterable[datetime]]]) -> None:
        tier, fronts = self._tiers[level], self._progress_store.read().fronts
        for channel, moments in named:
            front = fronts.get((tier.name, channel))
            if front is None:
                continue
            behind = {tier.bucket(moment, self._catalogue.day).start for moment in moments if moment < front.rolled}
            if behind:
                self._progress_store.mark(tier.name, channel, sorted(behind))

    def _touched(self, level: int, channel: str, span: Interval) -> Iterator[datetime]:
        """A moment in every bucket of a span; of a long one only in those that hold something, below or here."""
        if span.end - span.start > LONG_SPAN:
            for tier in self._tiers[level - 1 : level + 1]:
                held = tier.history.observations(span, (channel,))["start"].unique()
                yield from (start.to_pydatetime() for start in held)
            return
        at = span.start
        while at < span.end:
            yield at
            at = self._tiers[level].bucket(at, self._catalogue.day).end

    def _marked(self, level: int, now: datetime) -> Iterator[Rolled]:
        """Step 3."""
        marks = [mark for mark in self._progress_store.read().marks if mark.tier == self._tiers[level].name]
        for run in self._runs(level, sorted(marks, key=lambda mark: (mark.channel, mark.start))):
            yield self._take(level, run, now)

    def _runs(self, level: int, marks: Iterable[Mark]) -> Iterator[list[Mark]]:
        """Marks whose buckets follow each other, as many as are looked at together."""
        run: list[Mark] = []
        for mark in marks:
            joins = run and run[-1].channel == mark.channel and self._bucket(level, run[-1].start).end == mark.start
            if run and (not joins or len(run) == LONGEST_RUN):
                yield run
                run = []
            run.append(mark)
        if run:
            yield run

    def _take(self, level: int, marks: Sequence[Mark], now: datetime) -> Rolled:
        """Roll buckets of one channel that follow each other, and only then take their marks back."""
        rolled = self._compare(level, marks[0].channel, [mark.start for mark in marks], now)
        self._progress_store.unmark(marks)
        return rolled

    def _forward(self, level: int, now: datetime) -> Iterator[Rolled]:
        """Step 1, then the buckets themselves."""
        tier, progress = self._tiers[level], self._progress_store.read()
        for channel in self._catalogue.channels:
            front = progress.fronts.get((tier.name, channel)) or self._first(level)
            end = self._complete_until(level, channel, now, progress)
            while front is not None and end is not None and front.rolled < end:
                buckets = self._buckets_from(level, front.rolled, end)
                front = replace(front, rolled=buckets[-1].end)
                starts = [bucket.start for bucket in buckets]
                yield self._take(level, self._progress_store.keep_front(tier.name, channel, front, starts), now)

    def _proving(self, level: int, now: datetime) -> Iterator[Rolled]:
        """Step 4."""
        tier, progress = self._tiers[level], self._progress_store.read()
        closed = progress.closed(self._tiers[level - 1].name)
        if closed is None:
            return
        for channel in self._catalogue.channels:
            front = progress.fronts.get((tier.name, channel))
            while front is not None and front.proved < min(front.rolled, closed):
                buckets = self._buckets_from(level, front.proved, min(front.rolled, closed))
                yield self._compare(level, channel, [bucket.start for bucket in buckets], now)
                front = replace(front, proved=buckets[-1].end)
                self._progress_store.keep_front(tier.name, channel, front)

    def _bucket(self, level: int, moment: datetime) -> Interval:
        return self._tiers[level].bucket(moment, self._catalogue.day)

    def _buckets_from(self, level: int, start: datetime, end: datetime) -> list[Interval]:
        """The buckets from a start on, up to an end, as many as are looked at together."""
        found = [self._bucket(level, start)]
        while len(found) < LONGEST_RUN and found[-1].end < end:
            found.append(self._bucket(level, found[-1].end))
        return found

    def _first(self, level: int) -> Front | None:
        """Where a channel begins that was never rolled."""
        oldest = self._tiers[level - 1].history.holdings().oldest
        start = None if oldest is None else self._bucket(level, oldest).start
        return None if start is None else Front(start, start)

    def _complete_until(self, level: int, channel: str, now: datetime, progress: TierProgress) -> datetime | None:
        """Up to where a channel's buckets are complete in the tier below, but for what comes late."""
        if level > 1:
            below = progress.fronts.get((self._tiers[level - 1].name, channel))
            return None if below is None else self._bucket(level, below.rolled).start
        noun = self._catalogue.channels[channel]
        settled = now - timedelta(seconds=noun.interval_s + noun.settle_s)
        return self._bucket(level, settled).start

    def _compare(self, level: int, channel: str, starts: Sequence[datetime], now: datetime) -> Rolled:
        """Make buckets that follow each other what the tier below says; one that it has forgotten stays as it is."""
        tier, below = self._tiers[level], self._tiers[level - 1]
        forgotten = self._progress_store.read().forgotten(below.name)
        known = [start for start in starts if forgotten is None or start >= forgotten]
        if len(known) > tier.at_once and self._is_empty(level, channel, self._span(level, known)):
            known = []
        done = Rolled(len(starts) - len(known))
        for first in range(0, len(known), tier.at_once):
            done += self._condense(level, channel, known[first : first + tier.at_once], now)
        return done

    def _span(self, level: int, starts: Sequence[datetime]) -> Interval:
        return Interval(starts[0], self._bucket(level, starts[-1]).end)

    def _is_empty(self, level: int, channel: str, span: Interval) -> bool:
        """Whether a channel has nothing at all in a span: asked as sums, because rows may be too many to be read."""
        measures = tuple(self._catalogue.measures)
        counted = SumQuery(measures, span, channels=(channel,))
        asked = (counted, replace(counted, group=("region",), reported=True))
        histories = (self._tiers[level - 1].history, self._tiers[level].history)
        return all(history.totals(question).empty for history in histories for question in asked)

    def _condense(self, level: int, channel: str, starts: Sequence[datetime], now: datetime) -> Rolled:
        tier, span = self._tiers[level], self._span(level, starts)
        rows = self._tiers[level - 1].history.observations(span, (channel,))
        held = tier.history.observations(span, (channel,))
        done = Rolled(len(starts))
        if rows.empty and held.empty:
            return done
        wanted = condensed(rows, self._catalogue.measures, starts, tier.with_instants)
        return done + self._write(level, channel, wanted, held, now)

    def _write(self, level: int, channel: str, wanted: pd.DataFrame, held: pd.DataFrame, now: datetime) -> Rolled:
        """Write what differs and take back what is gone."""
        plain = held[[*KEY, "value"]].astype(wanted.dtypes.to_dict())
        both = wanted.merge(plain, on=KEY, how="outer", suffixes=("", "_held"), indicator=True)
        gone = both.loc[both["_merge"] == "right_only", KEY]
        differing = both.loc[(both["_merge"] != "right_only") & (both["value"] != both["value_held"]), [*KEY, "value"]]
        newest = int(held["revision"].max()) if len(held) else 0
        revision = max(int(now.timestamp() * 1000), newest + 1)
        stamp = BatchStamp(BATCH, channel, BATCH, revision, now)
        history, done = self._tiers[level].history, Rolled()
        for rows, act in ((differing, history.write), (gone, history.withdraw)):
            if rows.empty:
                continue
            written = self.store(level, channel, starts_of(rows), partial(act, stamp, rows))
            done += Rolled(0, written.inserted, written.changed, written.removed)
        return done
