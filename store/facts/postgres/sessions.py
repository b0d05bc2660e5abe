"""Connections to the server: lent to one call at a time, mended after the server was away."""

# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy.typing as npt
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from store.facts.postgres.binary import Columns, Values, pack, unpack
from store.facts.postgres.names import SharedNames
from store.facts.postgres.schema import Connection, create_tables
from store.postgres_address import parameters
from store.postgres_faults import PASSING, passing_fault

_PREPARE = (
    # Short questions by the thousand: compiling one takes longer than answering it.
    "SET jit = off",
    # Nobody waits for ever behind a writer that was cut off or stopped in the middle.
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    # A server may be set to answer before the disk has it; what the store has said is written is on disk.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
    """CREATE TEMP TABLE incoming (start int8, value float8, dimension int4, measure int2, region int2, reported bool)
        ON COMMIT DELETE ROWS""",
    """CREATE TEMP TABLE given (contact uuid, start int8, value float8, dimension int4, measure int2, region int2)
        ON COMMIT DELETE ROWS""",
    "CREATE TEMP TABLE stale (contact uuid) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE touched (start int8, dimension int4, measure int2, region int2) ON COMMIT DELETE ROWS",
)
"""What every connection is prepared with: the tables that batches are staged in are its own and never logged."""


class Session:
    """One connection with the names that it knows, and a place of its own to stage batches in."""

    def __init__(self, address: str) -> None:
        self.connection: Connection = psycopg.connect(address, autocommit=True, cursor_factory=psycopg.RawCursor)
        self.connection.prepare_threshold = None  # statements carry their bounds as literals and never come again
        try:
            create_tables(self.connection)
            for statement in _PREPARE:
                self.connection.execute(statement)
            self.names = SharedNames(self.connection)
        except BaseException:
            self.connection.close()
            raise

    @contextmanager
    def snapshot(self) -> Iterator["Session"]:
        """One state of the store for everything that is read: also of the names, which come before the rows."""
        self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.names.refresh()
        yield self
        self.connection.execute("COMMIT")

    def fetch(self, columns: Columns, statement: str) -> dict[str, npt.NDArray[Any]]:
        """What a statement without parameters gives, column by column."""
        wanted = ", ".join(f"{name}::{kind}" for name, kind in columns.items())
        with self.connection.cursor().copy(
            f"COPY (SELECT {wanted} FROM ({statement}) AS found) TO STDOUT (FORMAT binary)"
        ) as copy:
            return unpack(columns, b"".join(copy))

    def send(self, table: str, columns: Columns, values: Values, rows: int) -> None:
        """Append a frame to a table."""
        data = pack(columns, values, rows)
        with self.connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(data)


class Sessions:
    """The connections of one process: a call takes one that is idle and gives it back."""

    def __init__(self, url: str) -> None:
        """Take an address of one server or several; its `options` may name a schema: `-csearch_path=…`."""
        self._address = make_conninfo("", **parameters(url, "facts"))
        self._idle: list[Session] = []
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a connection that answers; raises StoreUnreachable, StoreFull, also when it breaks while it is lent."""
        with _passing_faults():
            session = self._usable()
            try:
                yield session
            finally:
                self._return(session)

    def close(self) -> None:
        """Let the idle connections go; those that are lent follow when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.connection.close()

    def _usable(self) -> Session:
        """An idle connection, or a new one when all of them were cut."""
        while (session := self._take()) is not None:
            try:
                session.names.refresh()
            except PASSING:
                session.connection.close()
            else:
                return session
        return Session(self._address)

    def _take(self) -> Session | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _return(self, session: Session) -> None:
        """Keep a connection for the next call unless the last one left it broken or in a transaction."""
        with self._lock:
            if not self._closed and session.connection.info.transaction_status == TransactionStatus.IDLE:
                self._idle.append(session)
                return
        session.connection.close()


@contextmanager
def _passing_faults() -> Iterator[None]:
    """Turn what passes by itself into a fault of the store."""
    try:
        yield
    except PASSING as error:
        raise passing_fault(error, "the PostgreSQL of WATCHFLOOR_FACTS_URL") from error
