"""`store.history.History` over one DuckDB file.

Every call has a cursor of its own (an unread result would block a shared one) and reads never wait:
they see the last committed state. Writes go one after another under a lock, each one transaction,
on disk when the call returns; a process killed in between leaves what was committed before.
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import duckdb
import numpy as np
import pandas as pd

from config.catalogue import Catalogue, Kind, Level
from metrics.intervals import HOUR_S
from metrics.observations import Interval
from store.duck import remarks
from store.duck.contacts import replace_contacts
from store.duck.file import File
from store.duck.reading import DIALECT
from store.duck.sorting import Stretches, sort
from store.duck.upsert import Stamp, Table, upsert
from store.facts.encoding import Encoder, last_of_each_key
from store.facts.moments import moments, second, second_from
from store.facts.names import Names
from store.facts.questions import DIMENSION_VALUES, kept_at, sums
from store.history import BatchStamp, Holdings, Question, Written

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
            self._lay_places(cursor)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        with self._writing() as cursor:
            frames = [Encoder(self._catalogue, self._names, stamp).observations(rows) for stamp, rows in tables]
            stamps = [stamp for stamp, _ in tables]
            found = [Written()] * len(frames)
            for turn in _turns(stamps, frames):
                kept, repeated = zip(*(last_of_each_key(frames[at]) for at in turn), strict=True)
                written = self._merge(cursor, [(stamps[at], frame) for at, frame in zip(turn, kept, strict=True)])
                for at, one, again in zip(turn, written, repeated, strict=True):
                    found[at] = replace(one, repeated=again)
            return tuple(found)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame) -> Written:
        """See `History.contribute`."""
        with self._writing() as cursor:
            encoder = Encoder(self._catalogue, self._names, stamp)
            given = encoder.contributions(contributions)
            if given.empty:
                return Written()
            cursor.register("given", given)
            channel = int(self._names.give("channel", [stamp.channel])[0])
            same, older = replace_contacts(cursor, channel, stamp.revision, self._peaks())
            sums = encoder.with_reported(cursor.execute("SELECT * FROM sums").df())
            written = Written() if sums.empty else self._merge(cursor, [(stamp, sums)], forced=True)[0]
            return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        with self._writing() as cursor:
            frame = Encoder(self._catalogue, self._names, stamp).observations(keys.assign(value=0.0))
            if frame.empty:
                return Written()
            kept, repeated = last_of_each_key(frame)
            [written] = self._merge(cursor, [(stamp, kept.assign(value=np.nan))], forced=True)
            return replace(written, repeated=repeated)

    def totals(self, question: Question) -> pd.DataFrame:
        """See `History.totals`."""
        asked = sums(question, self._catalogue, self._names, DIALECT)
        with self._file.cursor() as cursor:
            if asked.dimensions is not None:
                cursor.register(DIMENSION_VALUES, asked.dimensions)
            return asked.read(cursor.execute(asked.statement).fetchnumpy(), self._names)

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """See `History.observations`."""
        known = None if as_known_at is None else second(as_known_at)
        codes = self._names.find("channel", self._catalogue.channels if channels is None else channels)
        with self._file.cursor() as cursor:
            found = cursor.execute(
                f"SELECT * FROM {kept_at(known)} WHERE start >= ? AND start < ? AND channel IN ?",
                [second_from(interval.start), second_from(interval.end), codes],
            ).fetchnumpy()
        keys = {kind: self._names.label(kind, found[kind]) for kind in ("channel", "measure", "region", "dimension")}
        return pd.DataFrame(
            {
                **keys,
                "start": moments(found["start"]),
                "value": found["value"],
                "reported": found["reported"],
                "revision": found["revision"],
                "received_at": moments(found["received_at"]),
                "batch": self._names.label("batch", found["batch"]),
            }
        )

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        with self._writing() as cursor:
            return remarks.keep(cursor, stamp, table)

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        with self._file.cursor() as cursor:
            return remarks.read(cursor, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        with self._file.cursor() as cursor:
            found = cursor.execute("SELECT * FROM progress ORDER BY channel, source").fetchnumpy()
        names = {name: pd.Series(found[name], dtype="str") for name in ("channel", "source")}
        return pd.DataFrame({**names, "start": moments(found["start"]), "received_at": moments(found["received_at"])})

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
        return deleted

    def holdings(self) -> Holdings:
        """See `History.holdings`."""
        with self._file.cursor() as cursor:
            found = cursor.execute("SELECT count(*), min(start), max(start) FROM observation").fetchall()
        [(rows, oldest, newest)] = found
        files = (self._path, self._path.with_name(f"{self._path.name}.wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        if not rows:
            return Holdings(0, size, None, None)
        return Holdings(rows, size, *(datetime.fromtimestamp(start, UTC) for start in (oldest, newest)))

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
            stretch = self._stretches.due()
            if stretch is not None:
                sort(cursor, *stretch)

    def _merge(
        self, cursor: duckdb.DuckDBPyConnection, frames: Sequence[tuple[BatchStamp, pd.DataFrame]], forced: bool = False
    ) -> list[Written]:
        """Merge frames of codes, each of another channel, and note how far their sources have come."""
        tables = [Table(self._coded(stamp), frame) for stamp, frame in frames]
        newest = [int(frame["start"].max()) for _, frame in frames]
        _advance(cursor, [stamp for stamp, _ in frames], newest)
        written = upsert(cursor, tables, forced)
        for table, one, start in zip(tables, written, newest, strict=True):
            self._stretches.note(one.inserted, min(start, table.stamp.received_at))
        return written

    def _coded(self, stamp: BatchStamp) -> Stamp:
        return Stamp(
            channel=int(self._names.give("channel", [stamp.channel])[0]),
            batch=int(self._names.give("batch", [stamp.batch])[0]),
            revision=stamp.revision,
            received_at=second(stamp.received_at),
            interval_s=self._catalogue.channels[stamp.channel].interval_s,
        )

    def _save_names(self, cursor: duckdb.DuckDBPyConnection) -> None:
        fresh = self._names.fresh()
        if fresh:
            columns = [list(column) for column in zip(*fresh, strict=True)]
            cursor.execute("INSERT INTO name SELECT unnest(?), unnest(?), unnest(?)", columns)

    def _peaks(self) -> list[int]:
        peaks = [measure.id for measure in self._catalogue.measures.values() if measure.kind is Kind.PEAK]
        return self._names.find("measure", peaks)

    def _lay_places(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Write the catalogue's tree of regions as `place(region, nation, province, city, centre)`.

        A region without such an ancestor has the code of '': without NULL the codes stay as narrow as they are,
        and DuckDB adds up small groups in an array instead of a hash table.
        """
        none, *codes = self._names.give("region", ["", *self._catalogue.regions]).tolist()
        code = dict(zip(self._catalogue.regions, codes, strict=True))
        columns = {"region": codes}
        for level in Level:
            above = (self._catalogue.ancestor(region, level) for region in self._catalogue.regions)
            columns[level] = [none if region is None else code[region] for region in above]
        cursor.register("places", pd.DataFrame(columns, dtype="UInt16"))
        cursor.execute("CREATE OR REPLACE TABLE place AS SELECT * FROM places")


def _turns(stamps: Sequence[BatchStamp], frames: Sequence[pd.DataFrame]) -> list[list[int]]:
    """Positions of the tables that have rows, those of one channel in turns after each other."""
    turns: list[list[int]] = []
    before: Counter[str] = Counter()
    for at, (stamp, frame) in enumerate(zip(stamps, frames, strict=True)):
        if not frame.empty:
            if before[stamp.channel] == len(turns):
                turns.append([])
            turns[before[stamp.channel]].append(at)
            before[stamp.channel] += 1
    return turns


def _advance(cursor: duckdb.DuckDBPyConnection, stamps: Sequence[BatchStamp], starts: Sequence[int]) -> None:
    """Keep the latest interval that each source brought."""
    rows = [
        (one.channel, one.source, start, second(one.received_at)) for one, start in zip(stamps, starts, strict=True)
    ]
    cursor.register("latest", pd.DataFrame(rows, columns=["channel", "source", "start", "received_at"]))
    cursor.execute(
        "UPDATE progress p SET start = l.start, received_at = l.received_at FROM latest l"
        " WHERE p.channel = l.channel AND p.source = l.source AND p.start <= l.start"
    )
    cursor.execute("INSERT INTO progress FROM latest ANTI JOIN progress USING (channel, source)")
