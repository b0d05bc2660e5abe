"""Rows a second of an idempotent upsert of one interval, embedded and on PostgreSQL, beside what others would write.

An interval is a minute of the reference load: a batch a channel, each with late figures and corrections of the two
minutes before, each in a transaction of its own that is on disk when it ends. It is measured twice: as it comes, and
once more, which must change nothing. What is handed over is ready in each one's own form (frames of names for us,
frames of codes or lists of dicts for the peers); from there on everything counts.

The peer in SQLite is SQLAlchemy's bulk insert into a table without a key: it neither looks for what it holds nor keeps
what it replaces. The peer in PostgreSQL is written by hand against the same server: one buffer of binary COPY and
INSERT … ON CONFLICT, into one plain table with our columns and our primary key; it keeps no past and counts nothing.
"""

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import psycopg
import sqlalchemy

from bench.load import Load, minutes_from
from bench.measurement import Measurement
from collectors import build
from collectors.push import PushCollector
from config.catalogue import Catalogue
from config.loading import load as load_catalogue
from store.facts.duck import DuckHistory
from store.facts.history import BatchStamp, History
from store.facts.postgres import PostgresHistory
from store.facts.postgres.binary import pack
from store.facts.postgres.schema import FACT
from store.facts.shared.encoding import Encoder
from store.facts.shared.names import Names
from tests.support.installation import installation
from tests.support.real_postgres import end_postgres, start_postgres

START = datetime(2026, 11, 21, 1, tzinfo=UTC)
HELD, TIMED = 4, 5
"""Minutes that each store holds before, and minutes that are timed."""
KEY = "start, channel, measure, region, dimension"
_UPSERT = f"""
INSERT INTO plain ({", ".join(FACT)}) SELECT {", ".join(FACT)} FROM staged
ON CONFLICT ({KEY}) DO UPDATE SET value = excluded.value, revision = excluded.revision,
    received_at = excluded.received_at, batch = excluded.batch
WHERE excluded.revision > plain.revision"""


@dataclass(frozen=True)
class Work:
    """One batch in the forms that are handed over."""

    stamp: BatchStamp
    names: pd.DataFrame
    codes: dict[str, Any]

    dicts: list[dict[str, Any]]


Write = Callable[[list[Work]], object]
"""Writes a minute's batches in one transaction."""


def measure() -> Iterator[Measurement]:
    """Both stores, each beside its peer, minute by minute in turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        minutes, catalogue = _minutes(Path(folder))
        duck = stack.enter_context(closing(DuckHistory(Path(folder) / "facts.duckdb", catalogue)))
        bulk = _bulk_insert(Path(folder) / "plain.sqlite", stack)
        yield from _beside("upsert", _ours(duck), bulk, "SQLAlchemy bulk insert into SQLite", minutes, again=False)
        server = start_postgres()
        stack.callback(end_postgres, server)
        history = stack.enter_context(closing(PostgresHistory(server.get_uri(), catalogue)))
        by_hand = _by_hand(stack.enter_context(psycopg.connect(server.get_uri(), autocommit=True)))
        name = "COPY + ON CONFLICT by hand"
        yield from _beside("upsert_postgresql", _ours(history), by_hand, name, minutes, again=True)
        held = history.holdings()
        note = f"{held.rows:,} rows, each confirmed once; past, indexes and free space included"
        yield Measurement("disk_postgresql", "bytes a row", round(held.bytes / held.rows, 1), note=note)


def _beside(
    name: str, ours: Write, peer: Write, peer_name: str, minutes: list[list[Work]], again: bool
) -> Iterator[Measurement]:
    """Rows a second as they come, and once more; `again`: the peer can take them once more as well."""
    rows = median(sum(len(work.names) for work in minute) for minute in minutes[HELD:])
    for minute in minutes[:HELD]:
        _time(ours, minute)
        _time(peer, minute)
    fresh = [(_time(ours, minute), _time(peer, minute)) for minute in minutes[HELD:]]
    note = f"{rows:,.0f} rows a minute, in one transaction; {HELD * rows:,.0f} held; median of {TIMED} minutes"
    yield _measurement(name, rows, fresh, peer_name, note)
    repeated = [(_time(ours, minute), _time(peer, minute) if again else 0.0) for minute in minutes[HELD:]]
    yield _measurement(f"{name}_again", rows, repeated, peer_name if again else "", "the same minutes once more")


def _measurement(name: str, rows: float, seconds: list[tuple[float, float]], peer: str, note: str) -> Measurement:
    ours, theirs = (median(column) for column in zip(*seconds, strict=True))
    return Measurement(name, "rows/s", round(rows / ours), round(rows / theirs) if peer else None, peer, note)


def _time(write: Write, minute: list[Work]) -> float:
    gc.collect()
    began = time.perf_counter()
    write(minute)
    return time.perf_counter() - began


def _ours(history: History) -> Write:
    return lambda minute: history.write_all([(work.stamp, work.names) for work in minute])


def _bulk_insert(path: Path, stack: ExitStack) -> Write:
    """SQLAlchemy's way for many rows: one INSERT with a list of dicts."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    stack.callback(engine.dispose)
    kinds = {"float8": sqlalchemy.Float, "bool": sqlalchemy.Boolean}
    columns: list[sqlalchemy.Column[Any]] = [
        sqlalchemy.Column(name, kinds.get(kind, sqlalchemy.Integer)) for name, kind in FACT.items()
    ]
    table = sqlalchemy.Table("plain", sqlalchemy.MetaData(), *columns)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("PRAGMA journal_mode = WAL"))
        table.create(connection)

    def write(minute: list[Work]) -> None:
        with engine.begin() as connection:
            for work in minute:
                connection.execute(table.insert(), work.dicts)

    return write


def _by_hand(connection: psycopg.Connection) -> Write:
    """What somebody would write who needs no more than this one table."""
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in FACT.items())
    connection.execute(f"CREATE TABLE plain ({columns}, PRIMARY KEY ({KEY}))".encode())
    connection.execute(f"CREATE TEMP TABLE staged ({columns}) ON COMMIT DELETE ROWS".encode())
    copy, upsert = f"COPY staged ({', '.join(FACT)}) FROM STDIN (FORMAT binary)".encode(), _UPSERT.encode()

    def write(minute: list[Work]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for work in minute:
                with cursor.copy(copy) as taken:
                    taken.write(pack(FACT, work.codes, len(work.names)))
            cursor.execute(upsert)

    return write


def _minutes(folder: Path) -> tuple[list[list[Work]], Catalogue]:
    """The batches of consecutive minutes, as the push collector reads them."""
    load, names = Load(), Names(())
    catalogue = load_catalogue(load.lay_out(folder / "catalogue"))
    return [
        [_work(catalogue, names, load, channel, minute) for channel in load.channels]
        for minute in minutes_from(START, HELD + TIMED)
    ], catalogue


def _work(catalogue: Catalogue, names: Names, load: Load, channel: str, minute: datetime) -> Work:
    place = catalogue.channels[channel]
    collector = build(catalogue, place, place.sources[0], installation(b""))
    assert isinstance(collector, PushCollector)
    at = minute + timedelta(seconds=65)
    parsed = collector.parse(collector.payload(load.body(channel, minute), at))
    assert parsed.observations is not None
    stamp = BatchStamp(load.key(channel, minute), channel, "counts", parsed.revision or 0, at)
    codes = Encoder(catalogue, names, stamp).observations(parsed.observations)
    told = {"revision": stamp.revision, "received_at": int(at.timestamp())}
    told |= {"channel": int(names.give("channel", [channel])[0]), "batch": int(names.give("batch", [stamp.batch])[0])}
    columns: dict[str, Any] = {**{name: codes[name].to_numpy() for name in codes}, **told}
    return Work(stamp, parsed.observations, columns, pd.DataFrame(columns).to_dict("records"))
