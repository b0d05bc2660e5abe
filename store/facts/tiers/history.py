"""`store.facts.history.History` over tiers: rows as they arrived, quarters of an hour, reporting days.

Writes go to the finest; questions are answered by all of them together, to the last digit what the rows themselves
would say, or refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import pandas as pd

from config.catalogue import Catalogue
from metrics.condensing import by_instants
from metrics.observations import Interval
from store.facts.history import ROW_COLUMNS, Announce, BatchStamp, Holdings, SumQuery, Written, no_listener
from store.facts.tiers.cutting import Cutter, Wanted
from store.facts.tiers.joining import joined_answer
from store.facts.tiers.lateness import in_time, late_rows_aside, starts_of
from store.facts.tiers.retaining import Retention
from store.facts.tiers.rolling import Rolled, Roller
from store.facts.tiers.tier import Tier
from store.state.tier_progress import TierProgressStore

QUARTER_MINUTES = 15


class TieredHistory:
    """A history whose past is kept by larger buckets the older it is."""

    def __init__(self, tiers: Sequence[Tier], tier_progress: TierProgressStore, catalogue: Catalogue) -> None:
        """Tiers from the finest on; raises ValueError where a reporting day does not begin on a quarter of an hour."""
        starts = catalogue.day.starts
        if starts.minute % QUARTER_MINUTES or starts.second or starts.microsecond:
            raise ValueError(f"the reporting day starts at {starts}: it must start on a quarter of an hour")
        self.tiers = tuple(tiers)
        self._raw = self.tiers[0].history
        self._progress_store, self._catalogue = tier_progress, catalogue
        self._roller = Roller(self.tiers, tier_progress, catalogue)
        self._retention = Retention(self.tiers, tier_progress, catalogue)
        self._retention.recover()

    def roll(self, now: datetime, most: int) -> Rolled:
        """Bring the tiers up to date, at most so many buckets at once."""
        return self._roller.roll(now, most)

    def retain(self, now: datetime) -> int:
        """Forget what is older than its tier keeps and held by the next; each call goes one step further."""
        return self._retention.retain(now)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`; rows of time that is closed are kept aside."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`; rows of time that is closed are kept aside."""
        closed = self._closed()
        in_time_rows = [(stamp, self._in_time(stamp, rows, "observations", closed)) for stamp, rows in tables]
        named = [(stamp.channel, starts_of(rows)) for stamp, rows in in_time_rows]
        return self._roller.store_all(0, named, lambda: self._raw.write_all(in_time_rows))

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = no_listener) -> Written:
        """See `History.contribute`; a contact that has a row of time that is closed is kept aside whole."""

        def touches(touched: Interval) -> None:
            self._roller.note(0, stamp.channel, touched)
            announce(touched)

        return self._store(stamp, contributions, "contributions", partial(self._raw.contribute, announce=touches))

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`; keys of time that is closed are kept aside."""
        return self._store(stamp, keys, "keys", self._raw.withdraw)

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """See `History.totals`; raises NotKept."""
        instants = any(
            name in self._catalogue.measures and by_instants(self._catalogue.measures[name])
            for name in question.measures
        )
        channels = tuple(self._catalogue.channels) if question.channels is None else question.channels
        pieces = self._cutter(Wanted.by(question, channels, instants)).pieces()
        return joined_answer(question, pieces, self._catalogue)

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """See `History.observations`; rows of forgotten time are those of the tier that holds it. Raises NotKept."""
        asked = tuple(self._catalogue.channels if channels is None else channels)
        wanted = Wanted(interval, asked, replayed=as_known_at is not None, spared=False)
        pieces = self._cutter(wanted).pieces()
        found = [piece.tier.history.observations(piece.span, channels, as_known_at, columns) for piece in pieces]
        if len(found) == 1:
            return found[0]
        keys = [name for name in columns if isinstance(found[0][name].dtype, pd.CategoricalDtype)]
        plain = pd.concat([rows.astype(dict.fromkeys(keys, "str")) for rows in found], ignore_index=True)
        return plain.astype(dict.fromkeys(keys, "category"))

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        return self._raw.keep_aside(stamp, table)

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        return self._raw.aside(channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        return self._raw.last_starts()

    def forget(self, before: datetime) -> int:
        """See `History.forget`: in every tier."""
        return sum(tier.history.forget(before) for tier in self.tiers)

    def tidy(self) -> None:
        """See `History.tidy`: in every tier."""
        for tier in self.tiers:
            tier.history.tidy()

    def holdings(self) -> Holdings:
        """See `History.holdings`: of all tiers together; time that two of them hold counts in both."""
        each_holdings = [tier.history.holdings() for tier in self.tiers]
        oldest = [held.oldest for held in each_holdings if held.oldest is not None]
        newest = [held.newest for held in each_holdings if held.newest is not None]
        rows, size = sum(held.rows for held in each_holdings), sum(held.bytes for held in each_holdings)
        lacking = tuple(dict.fromkeys(server for held in each_holdings for server in held.lacking))
        return Holdings(rows, size, min(oldest, default=None), max(newest, default=None), lacking)

    def close(self) -> None:
        """See `History.close`."""
        for tier in self.tiers:
            tier.history.close()

    def _store(
        self, stamp: BatchStamp, table: pd.DataFrame, what: str, act: Callable[[BatchStamp, pd.DataFrame], Written]
    ) -> Written:
        in_time_rows = self._in_time(stamp, table, what, self._closed())
        return self._roller.store(0, stamp.channel, starts_of(in_time_rows), lambda: act(stamp, in_time_rows))

    def _closed(self) -> datetime | None:
        return self._progress_store.read().closed(self.tiers[0].name)

    def _in_time(self, stamp: BatchStamp, table: pd.DataFrame, what: str, closed: datetime | None) -> pd.DataFrame:
        """What of a table can be merged; the rest is kept aside."""
        in_time_rows, late = in_time(table, closed)
        if closed is not None and not late.empty:
            # A batch keeps its own rejects under its own name: these must not take their place.
            aside = replace(stamp, batch=f"{stamp.batch} {what} of closed time")
            self._raw.keep_aside(aside, late_rows_aside(late))
        return in_time_rows

    def _cutter(self, wanted: Wanted) -> Cutter:
        return Cutter(self.tiers, self._progress_store.read(), self._catalogue.day, wanted)
