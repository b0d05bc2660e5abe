"""Open the state's database and bring its tables to the version of this program."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError

from config.settings import BadSetting
from store.faults import StoreFault, StoreFull, StoreTooNew, StoreUnreachable
from store.postgres_address import FORM, is_postgres, parameters
from store.postgres_faults import PASSING, passing_fault
from store.state.json_text import as_json

FORMS = f"sqlite:///FILE or {FORM}"
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The databases that state can be kept in, by SQLAlchemy's name of them."""

STORE = "the database of WATCHFLOOR_STATE_URL"
WAIT_MS = 10_000
"""How long a writer waits for another before it is an error."""


def open_engine(url: str) -> Engine:
    """Connect to SQLite or PostgreSQL; raises BadSetting for another database."""
    if is_postgres(url):
        told = parameters(url, "state")
        engine = create_engine("postgresql+psycopg://", connect_args=told, pool_pre_ping=True, json_serializer=as_json)
    else:
        engine = _open_sqlite(url)
    event.listen(engine, "handle_error", _raise_passing)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables up to this program's version, in one transaction; raises StoreTooNew."""
    _run(engine, command.upgrade, "head")


def migrate_back(engine: Engine, version: str) -> None:
    """Bring the tables down to an earlier version (`base`: none at all), in one transaction."""
    _run(engine, command.downgrade, version)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent view; waits for no writer."""
    with engine.connect().execution_options(reading=True) as connection:
        yield connection


@contextmanager
def alone(engine: Engine, name: int) -> Iterator[Connection]:
    """A transaction that waits for every other of the same name, in whatever process, before it reads.

    SQLite lets one writer in at a time anyway; PostgreSQL would let two that begin together decide by the same past.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({name:d})")
        yield connection


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace the one with its primary key."""
    upsert_all(connection, table, [row])


def upsert_all(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of the same columns, or replace those with their primary keys; at least one."""
    statement = INSERTS[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def _run(engine: Engine, migration: Callable[[Config, str], None], version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # two processes that start at once take turns
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7767)")
        held = MigrationContext.configure(connection).get_current_revision()
        if held is not None and held not in known:
            raise StoreTooNew(
                f"the state's tables have version {held}, which this program does not know: run a newer one"
            )
        config.attributes["connection"] = connection
        migration(config, version)


def _open_sqlite(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadSetting("state_url", f"is no address of a database; it is {FORMS}") from error
    backend = parsed.get_backend_name()
    if backend != "sqlite":
        raise BadSetting("state_url", f"is wrong: state cannot be kept in {backend}; it is {FORMS}")
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, json_serializer=as_json)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _raise_passing(context: ExceptionContext) -> None:
    """Raise what passes by itself as a fault of the store; everything else goes on as it is, a bug."""
    fault = _passing(context.original_exception)
    if fault is not None:
        raise fault from context.original_exception


def _passing(error: BaseException) -> StoreFault | None:
    if isinstance(error, PASSING):
        return passing_fault(error, STORE)
    if not isinstance(error, sqlite3.OperationalError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
        return None
    if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
        return StoreFull(f"{STORE} has no room: {error}")
    return StoreUnreachable(f"{STORE} does not answer: {error}")


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    """Readers beside one writer, on disk at every commit; transactions begin where SQLAlchemy says."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", f"busy_timeout = {WAIT_MS}", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its turn at the start: one that began by reading would be refused, not made to wait."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")
