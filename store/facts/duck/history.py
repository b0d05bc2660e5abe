"""`store.facts.history.History` over one DuckDB file.

Every call has a cursor of its own (an unread result would block a shared one) and reads never wait:
they see the last committed state. Writes go one after another under a lock, each one transaction,
on disk when the call returns; a process killed in between leaves what was committed before.
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

import duckdb
import pandas as pd

from config.catalogue import Catalogue
from metrics.intervals import HOUR_S
from metrics.observations import Interval
from store.facts.duck import kept_aside, progress
from store.facts.duck.contacts import replace_contacts
from store.facts.duck.file import File
from store.facts.duck.reading import DIALECT, one_instant
from store.facts.duck.regions import write_regions
from store.facts.duck.sorting import MOST_WAITING, Stretches, sort
from store.facts.duck.upsert import Table, upsert
from store.facts.history import ROW_COLUMNS, Announce, BatchStamp, Holdings, SumQuery, Written, no_listener
from store.facts.shared.encoding import Encoder, last_of_each_key
from store.facts.shared.ledger import peak_measures
from store.facts.shared.names import Names
from store.facts.shared.rows import with_names
from store.facts.shared.seconds import moment, second_from
from store.facts.shared.stamps import CodedStamp
from store.facts.shared.sum_queries import DIMENSION_VALUES, among, shown_at, sum_statement, within

NEVER = -(2**62)
"""Before every start."""


class DuckHistory:
    """Facts in one DuckDB file of this process; raises StoreInUse when another process holds it."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self._catalogue, self._path = catalogue, path
        self._file = File(path)
        self._writes = Lock()
        with self._file.cursor() as cursor:
            self._names = Names(cursor.execute("SELECT kind, code, label FROM name").fetchall())
            [(sorted_until,)] = cursor.execute("SELECT max(least(start, received_at)) FROM progress").fetchall()
        self._stretches = Stretches(NEVER if sorted_until is None else sorted_until + 1)
        with self._writing() as cursor:
            self._names.give("measure", catalogue.measures)
            write_regions(cursor, catalogue, self._names)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        with self._writing() as cursor:
            frames = [Encoder(self._catalogue, self._names, stamp).observations(rows) for stamp, rows in tables]
            stamps = [stamp for stamp, _ in tables]
            found = [Written()] * len(frames)
            for positions in _rounds(stamps, frames):
                kept, repeated = zip(*(last_of_each_key(frames[position]) for position in positions), strict=True)
                written = self._merge(
                    cursor, [(stamps[position], frame) for position, frame in zip(positions, kept, strict=True)]
                )
                for position, table_written, rows_repeated in zip(positions, written, repeated, strict=True):
                    found[position] = replace(table_written, repeated=rows_repeated)
            return tuple(found)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = no_listener) -> Written:
        """See `History.contribute`."""
        with self._writing() as cursor:
            encoder = Encoder(self._catalogue, self._names, stamp)
            given = encoder.contributions(contributions)
            if given.empty:
                return Written()
            cursor.register("given", given)
            channel = int(self._names.give("channel", [stamp.channel])[0])
            peaks = self._names.find("measure", peak_measures(self._catalogue))
            same, older = replace_contacts(cursor, channel, stamp.revision, peaks)
            sums = encoder.with_reported(cursor.execute("SELECT * FROM sums").df())
            written = Written() if sums.empty else self._merge(cursor, [(stamp, sums)], forced=True)[0]
            if written.touched is not None:
                announce(written.touched)
            return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        with self._writing() as cursor:
            frame = Encoder(self._catalogue, self._names, stamp).withdrawn(keys)
            if frame.empty:
                return Written()
            kept, repeated = last_of_each_key(frame)
            [written] = self._merge(cursor, [(stamp, kept)], forced=True)
            return replace(written, repeated=repeated)

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """See `History.totals`."""
        with self._file.cursor() as cursor:
            cursor.begin()
            one_moment = one_instant(cursor, question, self._catalogue)
            statement = sum_statement(question, self._catalogue, self._names, DIALECT, one_moment)
            if statement.dimensions is not None:
                cursor.register(DIMENSION_VALUES, statement.dimensions)
            return statement.read(cursor.execute(statement.sql).fetchnumpy(), self._names)

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """See `History.observations`."""
        codes = self._names.find("channel", self._catalogue.channels if channels is None else channels)
        chosen = f"{within('start', interval)} AND {among('channel', codes)}"
        with self._file.cursor() as cursor:
            # `sql` has the whole answer before it makes arrays of it; `execute` lets them grow, twice as slow.
            found = cursor.sql(f"SELECT {', '.join(columns)} FROM {shown_at(as_known_at)} WHERE {chosen}").fetchnumpy()
        return with_names(found, self._names, columns)

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        with self._writing() as cursor:
            return kept_aside.keep(cursor, stamp, table)

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        with self._file.cursor() as cursor:
            return kept_aside.read(cursor, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        with self._file.cursor() as cursor:
            return progress.last_starts(cursor)

    def forget(self, before: datetime) -> int:
        """See `History.forget`; an hour at a time, so that no write waits long."""
        limit, deleted = second_from(before), 0
        while (oldest := self._oldest()) is not None and oldest < limit:
            with self._writing() as cursor:
                step = [min(oldest + HOUR_S, limit)]
                deleted += cursor.execute("DELETE FROM observation WHERE start < ?", step).fetchall()[0][0]
        with self._writing() as cursor:
            for table, column in (("superseded", "start"), ("contribution", "start"), ("aside", "received_at")):
                cursor.execute(f"DELETE FROM {table} WHERE {column} < ?", [limit])
        self._forget_batches()
        return deleted

    def tidy(self) -> None:
        """See `History.tidy`: sorts a stretch of rows, and then brings the log into the file, which a write would."""
        with self._writes, self._file.cursor() as cursor:
            if self._sort(cursor, leave=0):
                cursor.execute("CHECKPOINT")

    def _forget_batches(self) -> None:
        """Forget the names of batches that no row speaks of any more; the newest stays, for codes to go on from."""
        rows = "SELECT batch FROM observation UNION ALL SELECT batch FROM superseded"
        newest = "SELECT max(code) FROM name WHERE kind = 'batch'"
        with self._writes, self._file.cursor() as cursor:
            [(oldest,)] = cursor.execute(f"SELECT coalesce(min(batch), ({newest}), 0) FROM ({rows})").fetchall()
            cursor.execute("DELETE FROM name WHERE kind = 'batch' AND code < ?", [oldest])
            self._names.forget("batch", oldest)

    def holdings(self) -> Holdings:
        """See `History.holdings`."""
        with self._file.cursor() as cursor:
            found = cursor.execute("SELECT count(*), min(start), max(start) FROM observation").fetchall()
        [(rows, oldest, newest)] = found
        files = (self._path, self._path.with_name(f"{self._path.name}.wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        if not rows:
            return Holdings(0, size, None, None)
        return Holdings(rows, size, moment(oldest), moment(newest))

    def _oldest(self) -> int | None:
        with self._file.cursor() as cursor:
            oldest: int | None = cursor.execute("SELECT min(start) FROM observation").fetchall()[0][0]
        return oldest

    def close(self) -> None:
        """See `History.close`."""
        with self._writes:
            self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, alone, with the names that are new in it; closing the cursor rolls back what failed."""
        with self._writes, self._file.cursor() as cursor:
            cursor.execute("BEGIN")
            yield cursor
            self._save_names(cursor)
            cursor.execute("COMMIT")
            self._names.saved()
            self._sort(cursor, leave=MOST_WAITING)

    def _sort(self, cursor: duckdb.DuckDBPyConnection, leave: int) -> bool:
        """Sort a stretch if more than so many wait for it."""
        stretch = self._stretches.due(leave)
        if stretch is not None:
            sort(cursor, *stretch)
        return stretch is not None

    def _merge(
        self, cursor: duckdb.DuckDBPyConnection, frames: Sequence[tuple[BatchStamp, pd.DataFrame]], forced: bool = False
    ) -> list[Written]:
        """Merge frames of codes, each of another channel, and note how far their sources have come."""
        tables = [Table(self._coded(stamp), frame) for stamp, frame in frames]
        newest = [int(frame["start"].max()) for _, frame in frames]
        progress.advance(cursor, [stamp for stamp, _ in frames], newest)
        written = upsert(cursor, tables, forced)
        for table, table_written, start in zip(tables, written, newest, strict=True):
            self._stretches.note(table_written.inserted, min(start, table.stamp.received_at))
        return written

    def _coded(self, stamp: BatchStamp) -> CodedStamp:
        channel, batch = (int(self._names.give(kind, [getattr(stamp, kind)])[0]) for kind in ("channel", "batch"))
        return CodedStamp.of(stamp, channel, batch, self._catalogue)

    def _save_names(self, cursor: duckdb.DuckDBPyConnection) -> None:
        fresh = self._names.fresh()
        if fresh:
            columns = [list(column) for column in zip(*fresh, strict=True)]
            cursor.execute("INSERT INTO name SELECT unnest(?), unnest(?), unnest(?)", columns)


def _rounds(stamps: Sequence[BatchStamp], frames: Sequence[pd.DataFrame]) -> list[list[int]]:
    """Positions of the tables that have rows, those of one channel in rounds after each other."""
    rounds: list[list[int]] = []
    tables_before: Counter[str] = Counter()
    for position, (stamp, frame) in enumerate(zip(stamps, frames, strict=True)):
        if not frame.empty:
            if tables_before[stamp.channel] == len(rounds):
                rounds.append([])
            rounds[tables_before[stamp.channel]].append(position)
            tables_before[stamp.channel] += 1
    return rounds
