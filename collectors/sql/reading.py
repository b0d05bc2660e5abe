"""Run one query read-only and bounded; the guards are the database's own, per dialect."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from collectors.sql.faults import database_fault
from collectors.sql.options import Options
from metrics.observations import SourceFault

CHUNK = 1000
READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
PROGRESS_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond."""


@dataclass(frozen=True)
class Rows:
    """What a query gave: at most one row more than was allowed, as the sign that there are more."""

    columns: Sequence[str]
    rows: list[Sequence[Any]]


def parse_url(written: str, name: str) -> URL:
    """Read a database's URL; raises SourceFault `misconfigured` that does not quote it."""
    try:
        url = make_url(written)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise SourceFault("misconfigured", f"{name} is not the URL of a known kind of database", True) from error
    return url


def read(url: URL, options: Options, values: Mapping[str, Any]) -> Rows:
    """Run the query with its bound values; raises SourceFault."""
    deadline = time.monotonic() + options.timeout_s
    try:
        with (
            _read_only(url, options, deadline) as connection,
            connection.execution_options(stream_results=True).execute(text(options.query), values) as result,
        ):
            columns = list(result.keys())
            if len(set(columns)) < len(columns):
                raise SourceFault("misconfigured", "the query gives two columns the same name; use AS", True)
            rows: list[Sequence[Any]] = []
            while len(rows) <= options.max_rows and (chunk := result.fetchmany(CHUNK)):
                rows += chunk
                if time.monotonic() > deadline:
                    raise SourceFault("timeout", f"the rows were not all there within {options.timeout_s:g} s")
            return Rows(columns, rows[: options.max_rows + 1])
    except DBAPIError as error:
        raise database_fault(error) from None
    except (ImportError, SQLAlchemyError) as error:
        raise SourceFault("misconfigured", f"{url.drivername}: {type(error).__name__}", True) from error


@contextmanager
def _read_only(url: URL, options: Options, deadline: float) -> Iterator[Connection]:
    """A connection whose transaction may only read and is rolled back at the end."""
    engine = _engine(url, options, deadline)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION READ ONLY"))
                connection.execute(text(f"SET LOCAL statement_timeout = {int(options.timeout_s * 1000)}"))
            elif engine.dialect.name == "sqlite" and (opened := connection.connection.driver_connection) is not None:
                # Only now: SQLAlchemy's own greeting asks a PRAGMA.
                opened.set_authorizer(_only_reads)
            yield connection
    finally:
        engine.dispose()


def _engine(url: URL, options: Options, deadline: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        return create_engine("sqlite://", creator=_sqlite(url.database or "", options, deadline), poolclass=NullPool)
    known = {"psycopg", "psycopg2"}
    patience = {
        "connect_timeout": options.connect_s,
        # A server that vanishes without a word is noticed by the network's own keep-alive.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    return create_engine(url, poolclass=NullPool, connect_args=patience if url.get_driver_name() in known else {})


def _sqlite(path: str, options: Options, deadline: float) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=options.connect_s)
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), PROGRESS_STEPS)
        return connection

    return connect


def _only_reads(action: int, *_: object) -> int:
    """Let SQLite read its own file and nothing else: no ATTACH of another file, no PRAGMA."""
    return sqlite3.SQLITE_OK if action in READS else sqlite3.SQLITE_DENY
