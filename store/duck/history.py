"""`store.history.History` over one DuckDB file.

Every call has a cursor of its own (an unread result would block a shared one) and reads never wait:
they see the last committed state. Writes go one after another under a lock, each one transaction,
on disk when the call returns; a process killed in between leaves what was committed before.
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

import duckdb
import pandas as pd

from config.catalogue import Catalogue, Kind, Level
from metrics.observations import Interval
from store.duck import remarks
from store.duck.contacts import replace_contacts
from store.duck.schema import open_file
from store.duck.upsert import Stamp, upsert
from store.facts.encoding import Encoder, last_of_each_key
from store.facts.moments import moments, second, second_from
from store.facts.names import Names
from store.facts.questions import DIMENSION_VALUES, Dialect, kept_at, sums
from store.history import BatchStamp, Question, Written

DIALECT = Dialect(last="arg_max(value, start)", shown_at=kept_at)


class DuckHistory:
    """Facts in one DuckDB file of this process; raises StoreInUse when another process holds it."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._root = open_file(path)
        self._writes = Lock()
        with self._root.cursor() as cursor:
            self._names = Names(cursor.execute("SELECT kind, code, label FROM name").fetchall())
        with self._writing() as cursor:
            self._lay_places(cursor)

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        with self._writing() as cursor:
            frame = Encoder(self._catalogue, self._names, stamp).observations(observations)
            if frame.empty:
                return Written()
            kept, repeated = last_of_each_key(frame)
            return replace(self._merge(cursor, stamp, kept), repeated=repeated)

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
            written = Written() if sums.empty else self._merge(cursor, stamp, sums, forced=True)
            return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def totals(self, question: Question) -> pd.DataFrame:
        """See `History.totals`."""
        asked = sums(question, self._catalogue, self._names, DIALECT)
        with self._root.cursor() as cursor:
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
        with self._root.cursor() as cursor:
            found = cursor.execute(
                f"SELECT * FROM {kept_at(known)} WHERE start >= ? AND start < ? AND channel IN ? ORDER BY ALL",
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
        with self._root.cursor() as cursor:
            return remarks.read(cursor, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        with self._root.cursor() as cursor:
            found = cursor.execute("SELECT * FROM progress ORDER BY channel, source").fetchnumpy()
        names = {name: pd.Series(found[name], dtype="str") for name in ("channel", "source")}
        return pd.DataFrame({**names, "start": moments(found["start"]), "received_at": moments(found["received_at"])})

    def forget(self, before: datetime) -> int:
        """See `History.forget`."""
        limit = second_from(before)
        with self._writing() as cursor:
            deleted: int = cursor.execute("DELETE FROM observation WHERE start < ?", [limit]).fetchall()[0][0]
            for table, column in (("superseded", "start"), ("contribution", "start"), ("aside", "received_at")):
                cursor.execute(f"DELETE FROM {table} WHERE {column} < ?", [limit])
        return deleted

    def close(self) -> None:
        """See `History.close`."""
        with self._writes:
            self._root.close()

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, alone, with the names that are new in it; closing the cursor rolls back what failed."""
        with self._writes, self._root.cursor() as cursor:
            cursor.execute("BEGIN")
            yield cursor
            self._save_names(cursor)
            cursor.execute("COMMIT")
            self._names.saved()

    def _merge(
        self, cursor: duckdb.DuckDBPyConnection, stamp: BatchStamp, frame: pd.DataFrame, forced: bool = False
    ) -> Written:
        """Merge a frame of codes and note how far the source has come."""
        cursor.register("incoming", frame)
        low, high = int(frame["start"].min()), int(frame["start"].max())
        coded = Stamp(
            channel=int(self._names.give("channel", [stamp.channel])[0]),
            batch=int(self._names.give("batch", [stamp.batch])[0]),
            revision=stamp.revision,
            received_at=second(stamp.received_at),
            interval_s=self._catalogue.channels[stamp.channel].interval_s,
        )
        written = upsert(cursor, coded, low, high, forced)
        _advance(cursor, stamp, high)
        return written

    def _save_names(self, cursor: duckdb.DuckDBPyConnection) -> None:
        fresh = self._names.fresh()
        if fresh:
            cursor.register("fresh_names", pd.DataFrame(fresh, columns=["kind", "code", "label"]))
            cursor.execute("INSERT INTO name SELECT kind, code, label FROM fresh_names")

    def _peaks(self) -> list[int]:
        peaks = [measure.id for measure in self._catalogue.measures.values() if measure.kind is Kind.PEAK]
        return self._names.find("measure", peaks)

    def _lay_places(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Write the catalogue's tree of regions as `place(region, nation, province, city, centre)`."""
        codes = dict(zip(self._catalogue.regions, self._names.give("region", self._catalogue.regions), strict=True))
        columns: dict[str, list[int | None]] = {"region": list(codes.values())}
        for level in Level:
            above = (self._catalogue.ancestor(region, level) for region in self._catalogue.regions)
            columns[level] = [None if region is None else codes[region] for region in above]
        cursor.register("places", pd.DataFrame(columns, dtype="UInt16"))
        cursor.execute("CREATE OR REPLACE TABLE place AS SELECT * FROM places")


def _advance(cursor: duckdb.DuckDBPyConnection, stamp: BatchStamp, start: int) -> None:
    """Keep the latest interval that a source brought."""
    row = [stamp.channel, stamp.source]
    held = cursor.execute("SELECT start FROM progress WHERE channel = ? AND source = ?", row).fetchall()
    if held and held[0][0] > start:
        return
    cursor.execute("DELETE FROM progress WHERE channel = ? AND source = ?", row)
    cursor.execute("INSERT INTO progress VALUES (?, ?, ?, ?)", [*row, start, second(stamp.received_at)])
