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
from store.facts.history import ROW_COLUMNS, Announce, BatchStamp, Holdings, SumQuery, Written, no_listener
from store.facts.postgres import kept_aside
from store.facts.postgres.answers import DIALECT, answer, holdings, rows
from store.facts.postgres.contacts import replace_contacts, touched_sums
from store.facts.postgres.partitions import forget_before, make_partitions
from store.facts.postgres.regions import write_regions
from store.facts.postgres.sessions import Session, Sessions
from store.facts.postgres.upsert import lock_channel, upsert
from store.facts.shared import progress
from store.facts.shared.encoding import Encoder, last_of_each_key
from store.facts.shared.ledger import peak_measures
from store.facts.shared.seconds import second, second_from
from store.facts.shared.stamps import CodedStamp
from store.facts.shared.sum_queries import sum_statement

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
        self._sessions = Sessions(url)
        with self._sessions.session() as session:
            write_regions(session, catalogue)
            for kind, labels in (("channel", catalogue.channels), ("measure", catalogue.measures)):
                session.names.give(kind, labels)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        with self._sessions.session() as session:
            frames = [Encoder(self._catalogue, session.names, stamp).observations(rows) for stamp, rows in tables]
            return self._merge(session, [stamp for stamp, _ in tables], frames)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = no_listener) -> Written:
        """See `History.contribute`."""
        with self._sessions.session() as session:
            encoder = Encoder(self._catalogue, session.names, stamp)
            given = encoder.contributions(contributions)
            if given.empty:
                return Written()
            make_partitions(session.connection, given["start"])
            with self._writing(session, stamp) as coded:
                same, older = replace_contacts(session, coded.channel, stamp.revision, given)
                sums = touched_sums(
                    session, coded.channel, session.names.find("measure", peak_measures(self._catalogue))
                )
                written = Written()
                if not sums.empty:
                    written = upsert(session, coded, encoder.with_reported(sums), forced=True)
                    _advance(session, stamp, int(sums["start"].max()))
                if written.touched is not None:
                    announce(written.touched)
            return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        with self._sessions.session() as session:
            frame = Encoder(self._catalogue, session.names, stamp).withdrawn(keys)
            return self._merge(session, [stamp], [frame], forced=True)[0]

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """See `History.totals`."""
        with self._sessions.session() as session, session.snapshot():
            return answer(session, sum_statement(question, self._catalogue, session.names, DIALECT))

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """See `History.observations`."""
        with self._sessions.session() as session, session.snapshot():
            codes = session.names.find("channel", self._catalogue.channels if channels is None else channels)
            return rows(session, interval, codes, as_known_at, columns)

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        with self._sessions.session() as session:
            channel = int(session.names.give("channel", [stamp.channel])[0])
            with session.connection.transaction():
                lock_channel(session, channel)
                return kept_aside.keep(session.connection, stamp, table)

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        with self._sessions.session() as session:
            return kept_aside.read(session.connection, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        with self._sessions.session() as session:
            query = "SELECT channel, source, start, received_at FROM progress ORDER BY channel, source"
            found = session.connection.execute(query).fetchall()
        return progress.as_frame(*(zip(*found, strict=True) if found else ((),) * 4))

    def forget(self, before: datetime) -> int:
        """See `History.forget`."""
        with self._sessions.session() as session:
            return forget_before(session.connection, second_from(before))

    def tidy(self) -> None:
        """See `History.tidy`: PostgreSQL does it by itself."""

    def holdings(self) -> Holdings:
        """See `History.holdings`."""
        with self._sessions.session() as session, session.snapshot():
            return holdings(session)

    def close(self) -> None:
        """See `History.close`."""
        self._sessions.close()

    def _merge(
        self, session: Session, stamps: Sequence[BatchStamp], frames: Sequence[pd.DataFrame], forced: bool = False
    ) -> tuple[Written, ...]:
        """Merge frames of codes in one transaction and note how far their sources have come.

        Channels are locked in the order of their names, so that no two writers wait for each other.
        """
        found = [Written()] * len(frames)
        ordered = sorted(
            (position for position, frame in enumerate(frames) if len(frame)),
            key=lambda position: stamps[position].channel,
        )
        for position in ordered:
            make_partitions(session.connection, frames[position]["start"])
        with session.connection.transaction():
            for position in ordered:
                kept, repeated = last_of_each_key(frames[position])
                with self._writing(session, stamps[position]) as coded:
                    _advance(session, stamps[position], int(kept["start"].max()))
                    found[position] = replace(upsert(session, coded, kept, forced), repeated=repeated)
        return tuple(found)

    @contextmanager
    def _writing(self, session: Session, stamp: BatchStamp) -> Iterator[CodedStamp]:
        """One transaction, alone in its channel, with the batch's name in it."""
        channel = int(session.names.give("channel", [stamp.channel])[0])
        with session.connection.transaction():
            lock_channel(session, channel)
            [(batch,)] = session.connection.execute(_BATCH, [stamp.batch]).fetchall()
            yield CodedStamp.of(stamp, channel, batch, self._catalogue)


def _advance(session: Session, stamp: BatchStamp, start: int) -> None:
    """Keep the latest interval that a source brought."""
    session.connection.execute(_ADVANCE, [stamp.channel, stamp.source, start, second(stamp.received_at)])
