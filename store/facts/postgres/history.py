"""`store.facts.history.History` over PostgreSQL 18.

Every call has a connection of its own and is one transaction, on disk when the call returns. Reads see one
committed state and never wait. Writes of one channel take turns, across processes; those of different channels
do not meet. A server that is away is `StoreUnreachable` now and found again by the next call.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pandas as pd

from config.catalogue import Catalogue
from metrics.observations import Interval
from store.facts.history import ROW_COLUMNS, Announce, BatchStamp, Holdings, SumQuery, Written, to_nobody
from store.facts.postgres import kept_aside
from store.facts.postgres.answers import DIALECT, answer, holdings, rows
from store.facts.postgres.contacts import replace_contacts, touched_sums
from store.facts.postgres.days import forget_before, make_days
from store.facts.postgres.links import Link, Links
from store.facts.postgres.regions import write_regions
from store.facts.postgres.upsert import lock_channel, upsert
from store.facts.shared import progress
from store.facts.shared.encoding import Encoder, last_of_each_key
from store.facts.shared.ledger import peak_measures
from store.facts.shared.seconds import second, second_from
from store.facts.shared.stamps import CodedStamp
from store.facts.shared.sum_queries import sums

_BATCH = """
INSERT INTO batch_name (label) VALUES ($1) ON CONFLICT (label) DO UPDATE SET label = excluded.label RETURNING code"""
"""Written also where it is known: a transaction that writes nothing does not wait for the standby, and what it found
may be on the primary's disk alone, of one that was killed while it waited."""

_ADVANCE = """
INSERT INTO progress VALUES ($1, $2, $3, $4)
ON CONFLICT (channel, source) DO UPDATE SET start = excluded.start, received_at = excluded.received_at
WHERE progress.start <= excluded.start"""


class PostgresHistory:
    """Facts in one schema of a PostgreSQL database; any number of processes may hold it; raises StoreUnreachable."""

    def __init__(self, url: str, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._links = Links(url)
        with self._links.link() as link:
            write_regions(link, catalogue)
            for kind, labels in (("channel", catalogue.channels), ("measure", catalogue.measures)):
                link.names.give(kind, labels)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        with self._links.link() as link:
            frames = [Encoder(self._catalogue, link.names, stamp).observations(rows) for stamp, rows in tables]
            return self._merge(link, [stamp for stamp, _ in tables], frames)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = to_nobody) -> Written:
        """See `History.contribute`."""
        with self._links.link() as link:
            encoder = Encoder(self._catalogue, link.names, stamp)
            given = encoder.contributions(contributions)
            if given.empty:
                return Written()
            make_days(link.connection, given["start"])
            with self._writing(link, stamp) as coded:
                same, older = replace_contacts(link, coded.channel, stamp.revision, given)
                sums = touched_sums(link, coded.channel, link.names.find("measure", peak_measures(self._catalogue)))
                written = Written()
                if not sums.empty:
                    written = upsert(link, coded, encoder.with_reported(sums), forced=True)
                    _advance(link, stamp, int(sums["start"].max()))
                if written.touched is not None:
                    announce(written.touched)
            return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        with self._links.link() as link:
            frame = Encoder(self._catalogue, link.names, stamp).withdrawn(keys)
            return self._merge(link, [stamp], [frame], forced=True)[0]

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """See `History.totals`."""
        with self._links.link() as link, link.snapshot():
            return answer(link, sums(question, self._catalogue, link.names, DIALECT))

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """See `History.observations`."""
        with self._links.link() as link, link.snapshot():
            codes = link.names.find("channel", self._catalogue.channels if channels is None else channels)
            return rows(link, interval, codes, as_known_at, columns)

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        with self._links.link() as link:
            channel = int(link.names.give("channel", [stamp.channel])[0])
            with link.connection.transaction():
                lock_channel(link, channel)
                return kept_aside.keep(link.connection, stamp, table)

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        with self._links.link() as link:
            return kept_aside.read(link.connection, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        with self._links.link() as link:
            asked = "SELECT channel, source, start, received_at FROM progress ORDER BY channel, source"
            found = link.connection.execute(asked).fetchall()
        return progress.as_frame(*(zip(*found, strict=True) if found else ((),) * 4))

    def forget(self, before: datetime) -> int:
        """See `History.forget`."""
        with self._links.link() as link:
            return forget_before(link.connection, second_from(before))

    def tidy(self) -> None:
        """See `History.tidy`: PostgreSQL does it by itself."""

    def holdings(self) -> Holdings:
        """See `History.holdings`."""
        with self._links.link() as link, link.snapshot():
            return holdings(link)

    def close(self) -> None:
        """See `History.close`."""
        self._links.close()

    def _merge(
        self, link: Link, stamps: Sequence[BatchStamp], frames: Sequence[pd.DataFrame], forced: bool = False
    ) -> tuple[Written, ...]:
        """Merge frames of codes in one transaction and note how far their sources have come.

        Channels are locked in the order of their names, so that no two writers wait for each other.
        """
        found = [Written()] * len(frames)
        ordered = sorted((at for at, frame in enumerate(frames) if len(frame)), key=lambda at: stamps[at].channel)
        for at in ordered:
            make_days(link.connection, frames[at]["start"])
        with link.connection.transaction():
            for at in ordered:
                kept, repeated = last_of_each_key(frames[at])
                with self._writing(link, stamps[at]) as coded:
                    _advance(link, stamps[at], int(kept["start"].max()))
                    found[at] = replace(upsert(link, coded, kept, forced), repeated=repeated)
        return tuple(found)

    @contextmanager
    def _writing(self, link: Link, stamp: BatchStamp) -> Iterator[CodedStamp]:
        """One transaction, alone in its channel, with the batch's name in it."""
        channel = int(link.names.give("channel", [stamp.channel])[0])
        with link.connection.transaction():
            lock_channel(link, channel)
            [(batch,)] = link.connection.execute(_BATCH, [stamp.batch]).fetchall()
            yield CodedStamp.of(stamp, channel, batch, self._catalogue)


def _advance(link: Link, stamp: BatchStamp, start: int) -> None:
    """Keep the latest interval that a source brought."""
    link.connection.execute(_ADVANCE, [stamp.channel, stamp.source, start, second(stamp.received_at)])
